import TensorCore

/// IsNaN and IsInf; the result is bool.
struct FloatPredicate: Operator {
    private enum Question { case isNaN, isInfinite(negative: Bool, positive: Bool) }

    private let question: Question

    init(isNaN reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        question = .isNaN
    }

    init(isInfinite reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        let negative = try reader.flag("detect_negative", default: true)
        question = .isInfinite(
            negative: negative,
            positive: try reader.flag("detect_positive", default: true)
        )
    }

    /// Whether it is IsNaN.
    var isNaN: Bool { if case .isNaN = question { true } else { false } }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        switch x.elementType {
        case .float32: return .one(try TypedMap.unary(x, inputs) { (x: Float) in answer(x) })
        case .float64: return .one(try TypedMap.unary(x, inputs) { (x: Double) in answer(x) })
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func answer(_ x: some BinaryFloatingPoint) -> Bool {
        switch question {
        case .isNaN: x.isNaN
        case .isInfinite(let negative, let positive):
            x.isInfinite && (x.sign == .minus ? negative : positive)
        }
    }
}

extension FloatPredicate: PointwiseOperator {
    func resultType(_ types: [ElementType]) -> ElementType { .bool }
}

/// `Where(IsNaN(x), 0, x)` in float32.
struct NaNToZero: Operator {
    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        return .one(try TypedMap.unary(x, inputs) { (x: Float) in x.isNaN ? 0 : x })
    }
}
