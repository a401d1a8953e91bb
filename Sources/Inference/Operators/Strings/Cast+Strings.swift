import TensorCore

extension Cast {
    /// ONNX's number for the type of strings.
    static let stringCode = 8

    /// The numbers that strings say; a text that is none is an error.
    static func parse(
        _ x: StringTensor,
        to target: ElementType,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        if target.isInteger {
            var numbers: [Int64] = []
            for text in x.values {
                guard let number = Int64(text) else { throw .inputValue(input: 0) }
                numbers.append(number)
            }
            let tensor = try shaped { () throws(ShapeError) in try Tensor(numbers, shape: x.shape) }
            return try convert(tensor, to: target, inputs, input: 0)
        }
        var numbers: [Double] = []
        for text in x.values {
            guard let number = number(text) else { throw .inputValue(input: 0) }
            numbers.append(number)
        }
        let tensor = try shaped { () throws(ShapeError) in try Tensor(numbers, shape: x.shape) }
        return try convert(tensor, to: target, inputs, input: 0)
    }

    /// Plain and scientific notation, and in any case `INF` and `NaN`.
    private static func number(_ text: String) -> Double? {
        switch text.lowercased() {
        case "inf", "+inf", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": .nan
        // Swift reads hexadecimal numbers, which ONNX does not have.
        case let lower: lower.contains("x" as Character) ? nil : Double(lower)
        }
    }

    /// The shortest texts that say exactly these numbers.
    static func format(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> StringTensor {
        let values: [String] =
            switch x.elementType {
            case .float32: x.array(of: Float.self).map { "\($0)" }
            case .float64: x.array(of: Double.self).map { "\($0)" }
            case .uint64: x.array(of: UInt64.self).map { "\($0)" }
            case .float16, .bfloat16:
                try convert(x, to: .float32, inputs, input: 0).array(of: Float.self).map { "\($0)" }
            case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .bool:
                try convert(x, to: .int64, inputs, input: 0).array(of: Int64.self).map { "\($0)" }
            default: try format(x.widened, inputs).values
            }
        return try .checked(values, x.shape)
    }
}

extension ElementType {
    /// Whether the elements are whole numbers, bools included.
    fileprivate var isInteger: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: false
        case .int4, .uint4, .int2, .uint2: true
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .bool: true
        default: false
        }
    }
}
