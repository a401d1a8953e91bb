import Kernels
import TensorCore

/// `x * scale + shift` with constants that are broadcast: what is left of an affine chain.
struct ScaleShift: Operator {
    let scale: Tensor
    let shift: Tensor
    /// Scale and shift with one element a channel, if both vary along one axis at most.
    private let channels: Channels?

    private struct Channels: Sendable {
        let scale: Tensor
        let shift: Tensor
        /// How many axes stand behind the channels; nil if there is one channel, a scalar.
        let axesBehind: Int?
        let rank: Int
    }

    /// Whether scale and shift vary along the last axis alone, if at all.
    var variesByLastAxis: Bool { channels.map { $0.axesBehind ?? 0 == 0 } ?? false }

    init(scale: Tensor, shift: Tensor) {
        self.scale = scale
        self.shift = shift
        channels = Self.channels(scale, shift)
    }

    private static func channels(_ scale: Tensor, _ shift: Tensor) -> Channels? {
        guard let shape = try? scale.shape.broadcast(with: shift.shape) else { return nil }
        let varying = (0..<shape.rank).filter { shape[$0] != 1 }
        guard varying.count <= 1, shape.elementCount > 0 else { return nil }
        let count = shape.elementCount
        func spread(_ tensor: Tensor) -> Tensor? {
            let values = tensor.array(of: Float.self)
            let all = values.count == count ? values : [Float](repeating: values[0], count: count)
            return try? Tensor(all, shape: Shape(checking: [count]))
        }
        guard let scale = spread(scale), let shift = spread(shift) else { return nil }
        return Channels(
            scale: scale,
            shift: shift,
            axesBehind: varying.first.map { shape.rank - 1 - $0 },
            rank: shape.rank
        )
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        if let result = try byChannel(x, inputs) { return .one(result) }
        let product = try Arithmetic.combine(.multiply, x, scale, inputs, mayWrite: (false, false))
        return .one(try Arithmetic.combine(.add, product, shift, inputs, mayWrite: (true, false)))
    }

    private func byChannel(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor? {
        guard let channels, x.shape.rank >= channels.rank else { return nil }
        let rank = x.shape.rank
        let axis = channels.axesBehind.map { rank - 1 - $0 }
        let count = channels.scale.count
        if let axis, x.shape[axis] != count { return nil }
        let outer = x.shape.elementCount(of: 0..<(axis ?? 0))
        let inner = x.shape.elementCount(of: (axis.map { $0 + 1 } ?? 0)..<rank)
        return try inputs.makeTensor(of: Float.self, x.shape) { y in
            guard x.count > 0 else { return }
            x.withPointer(to: Float.self) { source in
                channels.scale.withPointer(to: Float.self) { scale in
                    channels.shift.withPointer(to: Float.self) { shift in
                        let epilogue = Epilogue(scale: scale, bias: shift)
                        if inner == 1 {
                            Affine.rows(epilogue, source, into: y, rows: outer, channels: count)
                        } else {
                            Affine.channelsFirst(
                                epilogue,
                                source,
                                into: y,
                                batch: outer,
                                channels: count,
                                length: inner
                            )
                        }
                    }
                }
            }
        }
    }
}

extension ScaleShift: PointwiseOperator {
    var innerShapes: [Shape] { [scale.shape, shift.shape] }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let result = packing.outputs[0]
        // With fewer axes than the constants, the input is computed in two steps, and rounded twice.
        guard try packing.input(0).rank >= max(scale.shape.rank, shift.shape.rank),
            let operand = try packing.operand(0, alignedTo: result), operand.varies
        else { throw NoRule("the input has fewer axes than the constants") }
        let onRows = ScaleShift(
            scale: try NodePacking.aligned(scale, to: result),
            shift: try NodePacking.aligned(shift, to: result)
        )
        return [packing.emit(onRows, [operand.id])]
    }
}
