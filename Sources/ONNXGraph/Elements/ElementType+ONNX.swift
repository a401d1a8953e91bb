public import TensorCore

extension ElementType {
    /// The element type with one of ONNX's numbers; nil for types that tensors cannot have here.
    ///
    /// - Parameter code: A value of ONNX's `TensorProto.DataType`, as the operator `Cast` has it in `to`.
    public init?(onnxCode code: Int64) {
        switch code {
        case 1: self = .float32
        case 2: self = .uint8
        case 3: self = .int8
        case 4: self = .uint16
        case 5: self = .int16
        case 6: self = .int32
        case 7: self = .int64
        case 9: self = .bool
        case 10: self = .float16
        case 11: self = .float64
        case 12: self = .uint32
        case 13: self = .uint64
        case 16: self = .bfloat16
        case 17: self = .float8e4m3fn
        case 18: self = .float8e4m3fnuz
        case 19: self = .float8e5m2
        case 20: self = .float8e5m2fnuz
        case 21: self = .uint4
        case 22: self = .int4
        case 23: self = .float4e2m1
        case 24: self = .float8e8m0
        case 25: self = .uint2
        case 26: self = .int2
        default: return nil
        }
    }

    /// ONNX's number for the type.
    public var onnxCode: Int64 {
        switch self {
        case .float32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bool: 9
        case .float16: 10
        case .float64: 11
        case .uint32: 12
        case .uint64: 13
        case .bfloat16: 16
        case .float8e4m3fn: 17
        case .float8e4m3fnuz: 18
        case .float8e5m2: 19
        case .float8e5m2fnuz: 20
        case .uint4: 21
        case .int4: 22
        case .float4e2m1: 23
        case .float8e8m0: 24
        case .uint2: 25
        case .int2: 26
        }
    }

    /// ONNX's name for a number that has no element type here, for messages.
    static func name(ofCode code: Int32) -> String {
        switch code {
        case 0: "UNDEFINED"
        case 8: "STRING"
        case 14: "COMPLEX64"
        case 15: "COMPLEX128"
        case 27: "FLOAT6E2M3"
        case 28: "FLOAT6E3M2"
        default: "\(code)"
        }
    }
}
