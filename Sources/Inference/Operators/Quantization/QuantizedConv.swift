import TensorCore

/// ConvInteger: a convolution of 8-bit integers with their zero points taken off, in int32, which wraps around.
///
/// Padding is 0 after that, the zero point before.
struct ConvInteger: Operator {
    private let attributes: WindowAttributes
    private let groups: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...4)
        attributes = try WindowAttributes(&reader)
        groups = try reader.int("group", default: 1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try QuantizedOperand.centred(inputs[0], zero: inputs.optional(2), .columns, input: 2, inputs)
        let w = try QuantizedOperand.centred(inputs[1], zero: inputs.optional(3), .channels, input: 3, inputs)
        let convolution = try SpatialConvolution(attributes, groups: groups, x: x.shape, weights: w.shape)
        return .one(try convolution.apply(of: Int32.self, x, w, inputs))
    }
}

/// QLinearConv: a convolution of 8-bit integers, each operand with scale and zero point, in 8 bits with those of the
/// result.
///
/// Weights may have a scale and a zero point for each output channel; the bias is int32 in units of the operands' scales.
struct QLinearConv: Operator {
    private let attributes: WindowAttributes
    private let groups: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(8...9)
        attributes = try WindowAttributes(&reader)
        groups = try reader.int("group", default: 1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try QuantizedOperand.centred(inputs[0], zero: inputs[2], .columns, input: 2, inputs)
        let w = try QuantizedOperand.centred(inputs[3], zero: inputs[5], .channels, input: 5, inputs)
        let convolution = try SpatialConvolution(attributes, groups: groups, x: x.shape, weights: w.shape)
        var sums = try convolution.apply(of: Int32.self, x, w, inputs)
        let rank = x.shape.rank
        if inputs.optional(8) != nil {
            let bias = try inputs.tensor(8, of: .int32)
            guard bias.shape.rank == 1, bias.count == w.shape[0] else {
                throw .shape(.elementCountMismatch(expected: w.shape[0], actual: bias.count))
            }
            let addend = try QuantizedOperand.spread(bias, .channels, rank: rank - 1)
            sums = try TypedMap.binary(sums, addend, inputs) { (a: Int32, b: Int32) in a &+ b }
        }
        for index in [1, 6] where try inputs[index].count != 1 { throw .inputValue(input: index) }
        let wScale = try QuantizedOperand.spread(inputs.float32(4), .channels, rank: rank - 1)
        let factors = try Arithmetic.combine(
            .divide,
            Arithmetic.combine(
                .multiply,
                inputs.float32(1).viewed(as: Shape()),
                wScale,
                inputs,
                mayWrite: (false, false)
            ),
            inputs.float32(6).viewed(as: Shape()),
            inputs,
            mayWrite: (true, false)
        )
        let zero = try inputs[7]
        guard zero.count == 1 else { throw .inputValue(input: 7) }
        return .one(
            try Requantization(sums: sums, factors: factors, zero: zero.viewed(as: Shape()), inputs: inputs)
                .run(for: zero.elementType, input: 7)
        )
    }
}
