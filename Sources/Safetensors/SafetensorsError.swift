public import TensorCore

/// What is wrong with a safetensors file, and where.
public enum SafetensorsError: Error, Hashable, Sendable {
    /// A file that cannot be read.
    case unreadable(file: String, reason: String)
    /// The file ends before its header does.
    case truncatedHeader
    /// A header over the limit.
    case headerTooLong(byteCount: UInt64, limit: Int)
    /// A header that is not the JSON it must be; `offset` is the byte within the header.
    case malformedHeader(HeaderFault, offset: Int)
    /// A name that stands twice in the header.
    case duplicateName(String)
    /// A tensor without one of its properties.
    case missingProperty(String, tensor: String)
    /// An element type that is not read.
    case unknownElementType(String, tensor: String)
    /// Dimensions that no tensor can have.
    case invalidShape(ShapeError, tensor: String)
    /// Offsets that end before they begin, or beyond the file.
    case outOfBounds(tensor: String)
    /// Offsets that do not begin where those of the tensor before end: an overlap or a hole.
    case notContiguous(tensor: String)
    /// Bytes behind the last tensor.
    case trailingBytes(Int)
    /// Another number of bytes than the shape needs.
    case byteCount(tensor: String, expected: Int, actual: Int)
    /// A bool that is neither 0 nor 1.
    case invalidBool(tensor: String)
    /// A name that a tensor cannot be stored under.
    case reservedName(String)
}

/// Why a header cannot be read.
public enum HeaderFault: String, Hashable, Sendable {
    case unexpectedByte, unexpectedEnd, invalidString, numberOutOfRange, unknownProperty
}

extension SafetensorsError: CustomStringConvertible {
    /// The tensor, the rule, and the figures.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): \(reason)"
        case .truncatedHeader: "the file ends before its header does"
        case .headerTooLong(let byteCount, let limit):
            "the header has \(byteCount) bytes, over the limit of \(limit)"
        case .malformedHeader(let fault, let offset):
            "the header is malformed at byte \(offset): \(fault.text)"
        case .duplicateName(let name): "'\(name)' stands twice in the header"
        case .missingProperty(let property, let tensor): "tensor '\(tensor)' has no '\(property)'"
        case .unknownElementType(let type, let tensor):
            "tensor '\(tensor)' has the unknown element type '\(type)'"
        case .invalidShape(let error, let tensor): "tensor '\(tensor)': \(error)"
        case .outOfBounds(let tensor): "tensor '\(tensor)' has offsets outside of the file"
        case .notContiguous(let tensor): "tensor '\(tensor)' does not begin where the one before it ends"
        case .trailingBytes(let count): "\(count) bytes after the last tensor belong to none"
        case .byteCount(let tensor, let expected, let actual):
            "tensor '\(tensor)' has \(actual) bytes, its shape needs \(expected)"
        case .invalidBool(let tensor): "tensor '\(tensor)' has a bool that is neither 0 nor 1"
        case .reservedName(let name): "a tensor cannot be named '\(name)'"
        }
    }
}

extension HeaderFault {
    var text: String {
        switch self {
        case .unexpectedByte: "another character is expected"
        case .unexpectedEnd: "it ends too early"
        case .invalidString: "a string is not valid"
        case .numberOutOfRange: "a number is out of range"
        case .unknownProperty: "a tensor has only dtype, shape and data_offsets, each once"
        }
    }
}
