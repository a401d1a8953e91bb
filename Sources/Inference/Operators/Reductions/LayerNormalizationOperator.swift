import Kernels
import TensorCore

/// LayerNormalization: each row, all axes from `axis` on, by its own mean and variance; those of a row without elements are NaN.
struct LayerNormalizationOperator: Operator {
    private let axis: Int
    private let epsilon: Float

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...3)
        try reader.expectOutputs(1...3)
        axis = try reader.int("axis", default: -1)
        epsilon = try reader.float("epsilon", default: 1e-5)
        _ = try reader.int("stash_type")
    }

    private init(_ normalization: LayerNormalizationOperator, axis: Int) {
        self.axis = axis
        epsilon = normalization.epsilon
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.elementType == .float32 || x.elementType == .float64 else {
            throw .unsupportedElementType(x.elementType, input: 0)
        }
        let axis = try x.shape.axis(axis)
        let rows = x.shape.elementCount(of: 0..<axis)
        let columns = x.shape.elementCount(of: axis..<x.shape.rank)
        var row = x.shape
        for _ in 0..<axis { row = row.removing(axis: 0) }
        let scale = try Self.spread(inputs.tensor(1, of: x.elementType), over: row, inputs)
        var bias: Tensor?
        if inputs.optional(2) != nil {
            bias = try Self.spread(inputs.tensor(2, of: x.elementType), over: row, inputs)
        }
        var kept = x.shape
        for position in axis..<x.shape.rank {
            let before = kept
            kept = try shaped { () throws(ShapeError) in try before.replacing(axis: position, by: 1) }
        }
        if x.elementType == .float64 { return try doubles(x, scale, bias, rows: rows, kept: kept, inputs) }
        var y = try inputs.makeTensor(.float32, x.shape)
        var means = try inputs.makeTensor(.float32, kept)
        var deviations = try inputs.makeTensor(.float32, kept)
        let addend = bias ?? scale
        x.withPointer(to: Float.self) { x in
            scale.withPointer(to: Float.self) { scale in
                addend.withPointer(to: Float.self) { addend in
                    y.withMutablePointer(to: Float.self) { y in
                        means.withMutablePointer(to: Float.self) { means in
                            deviations.withMutablePointer(to: Float.self) { deviations in
                                LayerNormalization.apply(
                                    x,
                                    into: y,
                                    rows: rows,
                                    columns: columns,
                                    epsilon: epsilon,
                                    scale: scale,
                                    bias: bias == nil ? nil : addend,
                                    means: means,
                                    inverseDeviations: deviations
                                )
                            }
                        }
                    }
                }
            }
        }
        return .many([y, means, deviations])
    }

    /// Rows of float64; their means and deviations are given in float32, as the spec has them.
    private func doubles(
        _ x: Tensor,
        _ scale: Tensor,
        _ bias: Tensor?,
        rows: Int,
        kept: Shape,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        let columns = x.count / max(rows, 1)
        let factors = scale.array(of: Double.self)
        let addends = bias?.array(of: Double.self)
        var means = [Float](repeating: 0, count: kept.elementCount)
        var deviations = means
        let y = try inputs.makeTensor(of: Double.self, x.shape) { y in
            x.withPointer(to: Double.self) { x in
                for row in 0..<rows {
                    let (source, target) = (x + row * columns, y + row * columns)
                    let (mean, factor) = RowStatistics.of(source, count: columns, epsilon: Double(epsilon))
                    for index in 0..<columns {
                        let value = (source[index] - mean) * factor
                        target[index] = value * factors[index] + (addends?[index] ?? 0)
                    }
                    means[row] = Float(mean)
                    deviations[row] = Float(factor)
                }
            }
        }
        return try shaped { () throws(ShapeError) in
            .many([y, try Tensor(means, shape: kept), try Tensor(deviations, shape: kept)])
        }
    }

    /// A parameter with one element for each of a row.
    private static func spread(
        _ parameter: Tensor,
        over row: Shape,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        guard try parameter.shape.broadcasting(row) == row else {
            throw .shape(.notBroadcastable(parameter.shape.dimensions, row.dimensions))
        }
        return try Expand.broadcast(parameter, to: row, inputs)
    }
}

extension LayerNormalizationOperator: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let axis = try NodeFacts.axis(axis, rank: x.rank)
        guard x.elementType == .float32, x.timeAxis.map({ $0 < axis }) ?? true,
            let first = x.featureAxes.first(where: { $0 >= axis })
        else {
            throw NoRule("positions are normalized together")
        }
        var operands: [PlanGraph.ValueID?] = [try packing.rows(0)]
        for index in 1..<packing.known.count {
            guard let constant = packing.known.constant(index) else {
                throw NoRule("a parameter is not constant")
            }
            operands.append(packing.constant(try NodePacking.aligned(constant, to: x)))
        }
        return [
            packing.emit(
                LayerNormalizationOperator(self, axis: try NodePacking.place(of: first, in: x)),
                operands
            )
        ]
    }
}
