/// The types of attributes that this package reads, with ONNX's codes.
enum AttributeType: Int32, CaseIterable {
    case float = 1
    case int = 2
    case string = 3
    case tensor = 4
    case graph = 5
    case floats = 6
    case ints = 7
    case strings = 8
    case tensors = 9
    case graphs = 10

    /// ONNX's name of a type, also of one that is not read, or its number.
    static func name(ofCode code: Int32) -> String {
        if let type = AttributeType(rawValue: code) { return "\(type)".uppercased() }
        return switch code {
        case 0: "UNDEFINED"
        case 11: "SPARSE_TENSOR"
        case 12: "SPARSE_TENSORS"
        case 13: "TYPE_PROTO"
        case 14: "TYPE_PROTOS"
        default: "\(code)"
        }
    }

    /// Whether a code is one of ONNX's, read here or not.
    static func isKnown(_ code: Int32) -> Bool { (1...14).contains(code) }
}
