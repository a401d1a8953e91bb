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
        }
    }

    /// ONNX's name for a number that has no element type here, for messages.
    static func name(ofCode code: Int32) -> String {
        switch code {
        case 0: "UNDEFINED"
        case 8: "STRING"
        case 14: "COMPLEX64"
        case 15: "COMPLEX128"
        case 17: "FLOAT8E4M3FN"
        case 18: "FLOAT8E4M3FNUZ"
        case 19: "FLOAT8E5M2"
        case 20: "FLOAT8E5M2FNUZ"
        case 21: "UINT4"
        case 22: "INT4"
        case 23: "FLOAT4E2M1"
        case 24: "FLOAT8E8M0"
        default: "\(code)"
        }
    }
}
