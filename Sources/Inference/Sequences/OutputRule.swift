import Kernels
import TensorCore

/// Which value of the plan an output is, and where its time axis stands.
struct OutputRule: Sendable {
    /// Where the positions stand in a value.
    enum Time: Sendable {
        case none
        case axis(Int)
        /// `[B, C]`, `[B, C, L]` or `[B, L, C]`: time is what is neither batch nor this axis.
        case besides(channelAxis: Int)
    }

    /// What the caller calls it.
    let name: String
    /// The name of the value.
    let value: String
    let time: Time

    /// The axis of the positions in a value, nil for one row a sequence.
    func timeAxis(_ shape: Shape) throws(ExecutionError) -> Int? {
        switch time {
        case .none:
            guard shape.rank >= 1 else { throw fault(shape) }
            return nil
        case .axis(let axis):
            guard axis >= 1, axis < shape.rank else { throw fault(shape) }
            return axis
        case .besides(let channelAxis):
            switch shape.rank {
            case 2: return nil
            case 3: return channelAxis == 1 || channelAxis == -2 ? 2 : 1
            default: throw fault(shape)
            }
        }
    }

    func fault(_ shape: Shape) -> ExecutionError { .outputShape(name: name, actual: shape.dimensions) }

    /// A value `[B, ...]` with the time axis second, `[B, L, ...features]`.
    func timeSecond(_ tensor: Tensor, timeAxis: Int) throws(ExecutionError) -> Tensor {
        guard timeAxis != 1 else { return tensor }
        let order = [0, timeAxis] + (1..<tensor.shape.rank).filter { $0 != timeAxis }
        guard let shape = try? Shape(checking: order.map { tensor.shape[$0] }) else {
            throw fault(tensor.shape)
        }
        var result = Tensor(uninitialized: tensor.elementType, shape: shape)
        let (source, bytes) = (tensor.shape, tensor.elementType.byteCount)
        tensor.withRawPointer { x in
            result.withMutableRawPointer { y in
                Transpose.permute(x, shape: source, permutation: order, elementBytes: bytes, into: y)
            }
        }
        return result
    }

    /// Parts that agree in all but the first axis, one after the other.
    func pack(_ parts: [Tensor]) throws(ExecutionError) -> Tensor {
        let first = parts[0]
        if parts.count == 1 { return first }
        var count = 0
        for part in parts {
            guard part.elementType == first.elementType, part.shape.rank == first.shape.rank,
                part.shape.removing(axis: 0) == first.shape.removing(axis: 0)
            else { throw fault(part.shape) }
            count += part.shape[0]
        }
        let total = count
        guard let shape = try? first.shape.replacing(axis: 0, by: total) else { throw fault(first.shape) }
        var result = Tensor(uninitialized: first.elementType, shape: shape)
        result.withMutableRawPointer { target in
            var position = target
            for part in parts {
                part.withRawPointer { position.copyMemory(from: $0, byteCount: part.byteCount) }
                position += part.byteCount
            }
        }
        return result
    }
}
