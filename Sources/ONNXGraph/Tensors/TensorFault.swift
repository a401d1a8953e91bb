public import TensorCore

/// Why a tensor of a model cannot be read.
public enum TensorFault: Error, Hashable, Sendable {
    /// Dimensions that are no shape.
    case shape(ShapeError)
    /// An element type that tensors cannot have here, with ONNX's name or number for it.
    case unsupportedElementType(String)
    /// A tensor in segments.
    case segmented
    /// Elements in more than one of the fields that can hold them.
    case dataInSeveralFields
    /// Elements in another number than the dimensions say.
    case elementCount(expected: Int, actual: Int)
    /// Raw bytes in another number than the dimensions and the element type say.
    case byteCount(expected: Int, actual: Int)
    /// More bytes than a tensor may have.
    case tooLarge(bytes: Int, limit: Int)
    /// An element outside the range of the element type.
    case elementOutOfRange(index: Int)
    /// Elements in another file, which cannot be read.
    case externalData(ExternalDataFault)
}

/// Why the elements of a tensor cannot be read from another file.
public enum ExternalDataFault: Error, Hashable, Sendable {
    /// The model was not read from a file, so there is no folder to look in.
    case noFolder
    /// No location is given.
    case missingLocation
    /// The location is an absolute path, has `..` in it, or leads out of the model's folder by a link.
    case outsideFolder(location: String)
    /// There is no such file, it is not a regular file, or it cannot be opened or read.
    case unreadable(location: String)
    /// Offset or length are not numbers, or the file ends before.
    case outOfBounds(location: String)
}

extension TensorFault: CustomStringConvertible {
    /// What is wrong, to be read after the tensor's name.
    public var description: String {
        switch self {
        case .shape(let error): "has no valid shape: \(error)"
        case .unsupportedElementType(let type): "has the unsupported element type \(type)"
        case .segmented: "is stored in segments, which is not supported"
        case .dataInSeveralFields: "holds elements in more than one field"
        case .elementCount(let expected, let actual): "holds \(actual) elements instead of \(expected)"
        case .byteCount(let expected, let actual): "holds \(actual) bytes instead of \(expected)"
        case .tooLarge(let bytes, let limit): "has \(bytes) bytes, over the limit of \(limit)"
        case .elementOutOfRange(let index): "has an element out of its type's range at \(index)"
        case .externalData(let fault): fault.description
        }
    }
}

extension ExternalDataFault: CustomStringConvertible {
    /// What is wrong, to be read after the tensor's name.
    public var description: String {
        switch self {
        case .noFolder: "is stored in another file, but the model was not read from a file"
        case .missingLocation: "is stored in another file, which is not named"
        case .outsideFolder(let location): "is stored in '\(location)', which is not in the model's folder"
        case .unreadable(let location): "is stored in '\(location)', which cannot be read"
        case .outOfBounds(let location): "is stored in '\(location)' at a place that the file does not have"
        }
    }
}
