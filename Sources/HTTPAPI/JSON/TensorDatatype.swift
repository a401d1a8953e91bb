public import TensorCore

extension ElementType {
    /// The open inference protocol's name of the type: `FP32`, `INT64`, `BOOL`.
    public var datatype: String {
        switch self {
        case .float32: "FP32"
        case .float64: "FP64"
        case .float16: "FP16"
        case .bfloat16: "BF16"
        case .bool: "BOOL"
        default: rawValue.uppercased()
        }
    }

    static let integerTypes: [ElementType] = [
        .int64, .int32, .int16, .int8, .uint8, .uint16, .uint32, .uint64,
    ]

    /// The integers a type can hold, as far as int64 can; nil for a type that is not of integers.
    var integerRange: ClosedRange<Int64>? {
        switch self {
        case .int8: Int64(Int8.min)...Int64(Int8.max)
        case .int16: Int64(Int16.min)...Int64(Int16.max)
        case .int32: Int64(Int32.min)...Int64(Int32.max)
        case .int64: Int64.min...Int64.max
        case .uint8: 0...Int64(UInt8.max)
        case .uint16: 0...Int64(UInt16.max)
        case .uint32: 0...Int64(UInt32.max)
        case .uint64: 0...Int64.max
        case .bool: 0...1
        default: nil
        }
    }
}
