import TensorCore

/// An operator of two operands that are broadcast to each other.
protocol BroadcastingOperator: Operator {}

/// The broadcasting of opset 6: the second operand's axes are the first's from `axis` on, or its last.
struct LegacyBroadcast: Operator {
    private let computation: any Operator
    private let axis: Int

    var isFoldable: Bool { computation.isFoldable }

    /// The operator itself if no axis is written.
    static func wrapping(
        _ computation: any Operator,
        _ reader: inout AttributeReader
    ) throws(OperatorError) -> any Operator {
        _ = try reader.flag("broadcast", default: false)
        guard let axis = try reader.int("axis") else { return computation }
        return LegacyBroadcast(computation: computation, axis: axis)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        var b = try inputs[1]
        let axis = try a.shape.axis(axis)
        guard axis + b.shape.rank <= a.shape.rank else {
            throw .shape(.notBroadcastable(a.shape.dimensions, b.shape.dimensions))
        }
        let ones = [Int](repeating: 1, count: a.shape.rank - axis - b.shape.rank)
        b = try b.viewed(as: Shape.checked(b.shape.dimensions + ones))
        return try NodeInputs.evaluate(
            computation,
            [a, b],
            outputCount: inputs.outputCount,
            budget: inputs.budget
        )
    }
}
