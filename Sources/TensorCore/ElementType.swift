/// The type of a tensor's elements, with ONNX's names for them.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
    case float32, float64, float16, bfloat16
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64
    case bool
    case float8e4m3fn, float8e4m3fnuz, float8e5m2, float8e5m2fnuz, float8e8m0, float4e2m1
    case int4, uint4, int2, uint2

    /// The size of the largest type's elements in bytes.
    public static let largestByteCount = 8

    /// The size of one element in memory in bytes; a number of 4 or 2 bits has a byte of its own.
    public var byteCount: Int {
        switch self {
        case .int8, .uint8, .bool: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1: 1
        case .int4, .uint4, .int2, .uint2: 1
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}

/// A Swift type whose values a tensor can hold.
public protocol TensorElement: BitwiseCopyable, Sendable {
    /// The element type whose memory layout is this Swift type's.
    static var elementType: ElementType { get }
}

extension Float: TensorElement {
    /// float32.
    public static var elementType: ElementType { .float32 }
}
extension Double: TensorElement {
    /// float64.
    public static var elementType: ElementType { .float64 }
}
extension Int8: TensorElement {
    /// int8.
    public static var elementType: ElementType { .int8 }
}
extension Int16: TensorElement {
    /// int16.
    public static var elementType: ElementType { .int16 }
}
extension Int32: TensorElement {
    /// int32.
    public static var elementType: ElementType { .int32 }
}
extension Int64: TensorElement {
    /// int64.
    public static var elementType: ElementType { .int64 }
}
extension UInt8: TensorElement {
    /// uint8.
    public static var elementType: ElementType { .uint8 }
}
extension UInt16: TensorElement {
    /// uint16.
    public static var elementType: ElementType { .uint16 }
}
extension UInt32: TensorElement {
    /// uint32.
    public static var elementType: ElementType { .uint32 }
}
extension UInt64: TensorElement {
    /// uint64.
    public static var elementType: ElementType { .uint64 }
}
extension Bool: TensorElement {
    /// bool, one byte, 0 or 1.
    public static var elementType: ElementType { .bool }
}
