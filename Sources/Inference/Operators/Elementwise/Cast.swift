import ONNXGraph
import TensorCore

/// Cast and CastLike between all types of tensors.
///
/// Floats become integers by truncation; NaN becomes 0 and what does not fit the nearest bound. Integers wrap around.
/// Floats of 8 and 4 bits are rounded as ``NarrowFloat`` tells.
struct Cast: Operator, TakingAllTypes {
    /// nil: the type of the second input, or strings.
    private let target: ElementType?
    private let toStrings: Bool
    private let narrowing: Narrowing

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        guard let code = try reader.int("to") else { throw .missingAttribute("to") }
        target = ElementType(onnxCode: Int64(code))
        toStrings = code == Self.stringCode
        guard target != nil || toStrings else { throw .attributeValue("to") }
        narrowing = try Narrowing(&reader)
    }

    init(like reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        target = nil
        toStrings = false
        narrowing = try Narrowing(&reader)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let source = inputs.value(0)
        if case .strings(let strings)? = source {
            if toStrings { return .values([.strings(strings)]) }
            let type: ElementType
            if let target { type = target } else { type = try inputs[1].elementType }
            return .one(try Self.parse(strings, to: type, inputs))
        }
        let x = try inputs[0]
        if toStrings { return .values([.strings(try Self.format(x, inputs))]) }
        if let target { return .one(try Self.convert(x, to: target, inputs, input: 0, narrowing)) }
        return .one(try Self.convert(x, to: try inputs[1].elementType, inputs, input: 0, narrowing))
    }

    /// The tensor with every element converted.
    static func convert(
        _ x: Tensor,
        to target: ElementType,
        _ inputs: NodeInputs,
        input: Int,
        _ narrowing: Narrowing = Narrowing()
    ) throws(OperatorError) -> Tensor {
        if x.elementType == target { return x }
        if x.elementType.isNarrow {
            return try convert(x.widened, to: target, inputs, input: input, narrowing)
        }
        if target.isNarrow { return try narrowing.convert(x, to: target, inputs) }
        switch x.elementType {
        case .float32: return try fromFloat(Float.self, x, to: target, inputs)
        case .float64: return try fromFloat(Double.self, x, to: target, inputs)
        case .int8: return try fromInteger(Int8.self, x, to: target, inputs)
        case .int16: return try fromInteger(Int16.self, x, to: target, inputs)
        case .int32: return try fromInteger(Int32.self, x, to: target, inputs)
        case .int64: return try fromInteger(Int64.self, x, to: target, inputs)
        case .uint8: return try fromInteger(UInt8.self, x, to: target, inputs)
        case .uint16: return try fromInteger(UInt16.self, x, to: target, inputs)
        case .uint32: return try fromInteger(UInt32.self, x, to: target, inputs)
        case .uint64: return try fromInteger(UInt64.self, x, to: target, inputs)
        case .bool: return try fromInteger(UInt8.self, try flags(x, inputs), to: target, inputs)
        case .float16: return try fromFloat(Float16.self, x, to: target, inputs)
        case .bfloat16:
            let wide = try TypedMap.unary(x, inputs) { (x: BFloat16) in x.float }
            return try convert(wide, to: target, inputs, input: input)
        default: throw .unsupportedElementType(x.elementType, input: input)
        }
    }

    /// 0 and 1 of a bool tensor as uint8.
    private static func flags(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        try TypedMap.unary(x, inputs) { (x: Bool) in x ? UInt8(1) : 0 }
    }

    private static func fromFloat<T: TensorElement & BinaryFloatingPoint>(
        _ type: T.Type,
        _ x: Tensor,
        to target: ElementType,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        switch target {
        case .float32: try TypedMap.unary(x, inputs) { (x: T) in Float(x) }
        case .float64: try TypedMap.unary(x, inputs) { (x: T) in Double(x) }
        case .int8: try TypedMap.unary(x, inputs) { (x: T) in Int8(saturating: x) }
        case .int16: try TypedMap.unary(x, inputs) { (x: T) in Int16(saturating: x) }
        case .int32: try TypedMap.unary(x, inputs) { (x: T) in Int32(saturating: x) }
        case .int64: try TypedMap.unary(x, inputs) { (x: T) in Int64(saturating: x) }
        case .uint8: try TypedMap.unary(x, inputs) { (x: T) in UInt8(saturating: x) }
        case .uint16: try TypedMap.unary(x, inputs) { (x: T) in UInt16(saturating: x) }
        case .uint32: try TypedMap.unary(x, inputs) { (x: T) in UInt32(saturating: x) }
        case .uint64: try TypedMap.unary(x, inputs) { (x: T) in UInt64(saturating: x) }
        case .bool: try TypedMap.unary(x, inputs) { (x: T) in x != 0 }
        case .float16: try TypedMap.unary(x, inputs) { (x: T) in Float16(x) }
        case .bfloat16: try TypedMap.unary(x, inputs) { (x: T) in BFloat16(Float(x)) }
        default: throw .unsupportedElementType(target, input: 0)
        }
    }

    private static func fromInteger<T: TensorElement & FixedWidthInteger>(
        _ type: T.Type,
        _ x: Tensor,
        to target: ElementType,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        switch target {
        case .float32: try TypedMap.unary(x, inputs) { (x: T) in Float(x) }
        case .float64: try TypedMap.unary(x, inputs) { (x: T) in Double(x) }
        case .int8: try TypedMap.unary(x, inputs) { (x: T) in Int8(truncatingIfNeeded: x) }
        case .int16: try TypedMap.unary(x, inputs) { (x: T) in Int16(truncatingIfNeeded: x) }
        case .int32: try TypedMap.unary(x, inputs) { (x: T) in Int32(truncatingIfNeeded: x) }
        case .int64: try TypedMap.unary(x, inputs) { (x: T) in Int64(truncatingIfNeeded: x) }
        case .uint8: try TypedMap.unary(x, inputs) { (x: T) in UInt8(truncatingIfNeeded: x) }
        case .uint16: try TypedMap.unary(x, inputs) { (x: T) in UInt16(truncatingIfNeeded: x) }
        case .uint32: try TypedMap.unary(x, inputs) { (x: T) in UInt32(truncatingIfNeeded: x) }
        case .uint64: try TypedMap.unary(x, inputs) { (x: T) in UInt64(truncatingIfNeeded: x) }
        case .bool: try TypedMap.unary(x, inputs) { (x: T) in x != 0 }
        case .float16: try TypedMap.unary(x, inputs) { (x: T) in Float16(x) }
        case .bfloat16: try TypedMap.unary(x, inputs) { (x: T) in BFloat16(Float(x)) }
        default: throw .unsupportedElementType(target, input: 0)
        }
    }
}

extension FixedWidthInteger {
    /// The value truncated towards zero; the nearest bound if it does not fit, 0 for NaN.
    init<T: BinaryFloatingPoint>(saturating value: T) {
        if value.isNaN {
            self = 0
        } else if let exact = Self(exactly: value.rounded(.towardZero)) {
            self = exact
        } else {
            self = value < 0 ? .min : .max
        }
    }
}

extension Cast: PointwiseOperator {
    func resultType(_ types: [ElementType]) -> ElementType {
        target ?? (types.count > 1 ? types[1] : types[0])
    }

    func number(_ operands: [Number], _ type: ElementType) -> Number? {
        switch (type, operands[0]) {
        case (.int64, let number), (.int32, let number): return number
        case (.float32, .length(let function)), (.float64, .length(let function)):
            // A multiple of a length may be more than float32 counts to.
            return function.steps.isEmpty ? operands[0] : nil
        default: return nil
        }
    }

    func equalInput(_ inputs: NodeFacts) -> Int? {
        guard let facts = inputs.optional(0),
            facts.elementType == resultType(inputs.inputs.compactMap { $0?.elementType })
        else { return nil }
        return 0
    }
}
