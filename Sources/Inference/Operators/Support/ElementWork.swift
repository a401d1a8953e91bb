import TensorCore

/// Work that is written once for every integer type of tensors.
protocol IntegerWork {
    /// Does the work on tensors whose elements have a type.
    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor
}

extension IntegerWork {
    /// Does the work for the integer type of an input; other types are refused.
    func run(for type: ElementType, input: Int) throws(OperatorError) -> Tensor {
        switch type {
        case .int8: return try run(Int8.self)
        case .int16: return try run(Int16.self)
        case .int32: return try run(Int32.self)
        case .int64: return try run(Int64.self)
        case .uint8: return try run(UInt8.self)
        case .uint16: return try run(UInt16.self)
        case .uint32: return try run(UInt32.self)
        case .uint64: return try run(UInt64.self)
        default:
            throw .unsupportedElementType(type, input: input)
        }
    }
}

/// Work that is written once for every type of tensors whose elements have an order, which are all but bools.
protocol NumericWork {
    /// Does the work on tensors whose elements have a type.
    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs
}

extension NumericWork {
    /// Does the work for the type of an input; other types are refused.
    func run(for type: ElementType, input: Int) throws(OperatorError) -> NodeOutputs {
        switch type {
        case .float32: return try run(Float.self)
        case .float64: return try run(Double.self)
        case .int8: return try run(Int8.self)
        case .int16: return try run(Int16.self)
        case .int32: return try run(Int32.self)
        case .int64: return try run(Int64.self)
        case .uint8: return try run(UInt8.self)
        case .uint16: return try run(UInt16.self)
        case .uint32: return try run(UInt32.self)
        case .uint64: return try run(UInt64.self)
        default: throw .unsupportedElementType(type, input: input)
        }
    }
}

/// A type of elements that have an order and a sum; integers wrap around.
protocol TensorNumber: TensorElement, Numeric, Comparable {
    /// `a + b`
    static func sum(_ a: Self, _ b: Self) -> Self
    /// `a * b`
    static func product(_ a: Self, _ b: Self) -> Self
}

extension TensorNumber where Self: FixedWidthInteger {
    static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
    static func product(_ a: Self, _ b: Self) -> Self { a &* b }
}

extension TensorNumber where Self: FloatingPoint {
    static func sum(_ a: Self, _ b: Self) -> Self { a + b }
    static func product(_ a: Self, _ b: Self) -> Self { a * b }
}

extension Float: TensorNumber {}
extension Double: TensorNumber {}
extension Int8: TensorNumber {}
extension Int16: TensorNumber {}
extension Int32: TensorNumber {}
extension Int64: TensorNumber {}
extension UInt8: TensorNumber {}
extension UInt16: TensorNumber {}
extension UInt32: TensorNumber {}
extension UInt64: TensorNumber {}
