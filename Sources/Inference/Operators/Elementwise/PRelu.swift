import TensorCore

/// PRelu: `x` where it is not negative, else `slope * x`; the slope is broadcast to `x`.
///
/// Before opset 7 a slope of one axis has an element for each channel (axis 1).
struct PRelu: Operator {
    private let slopeIsByChannel: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        slopeIsByChannel = reader.opset < 7
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        var slope = try inputs[1]
        guard x.elementType == slope.elementType else {
            throw .elementTypesDiffer(x.elementType, slope.elementType)
        }
        if slopeIsByChannel, slope.shape.rank == 1, x.shape.rank > 2 {
            let ones = [Int](repeating: 1, count: x.shape.rank - 2)
            slope = try slope.viewed(as: Shape.checked([slope.count] + ones))
        }
        guard try slope.shape.broadcasting(x.shape) == x.shape else {
            throw .shape(.notBroadcastable(slope.shape.dimensions, x.shape.dimensions))
        }
        switch x.elementType {
        case .float32:
            return .one(try TypedMap.binary(x, slope, inputs) { (x: Float, s: Float) in x < 0 ? s * x : x })
        case .float64:
            return .one(try TypedMap.binary(x, slope, inputs) { (x: Double, s: Double) in x < 0 ? s * x : x })
        case .int32:
            return .one(try TypedMap.binary(x, slope, inputs) { (x: Int32, s: Int32) in x < 0 ? s &* x : x })
        case .int64:
            return .one(try TypedMap.binary(x, slope, inputs) { (x: Int64, s: Int64) in x < 0 ? s &* x : x })
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }
}

extension PRelu: PointwiseOperator {
    func onRows(of result: ValueFacts) throws(NoRule) -> any Operator {
        if slopeIsByChannel && result.rank > 2 { throw NoRule("a slope by channel") }
        return self
    }
}
