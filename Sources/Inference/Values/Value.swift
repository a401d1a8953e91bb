public import TensorCore

/// What a value of a graph can be.
///
/// Nearly all are tensors, and these stay where they are in a run; the others have a place of their own beside them,
/// see ``Frame``. An optional of ONNX that holds something is what it holds.
public enum Value: Equatable, Sendable {
    /// An array of numbers.
    case tensor(Tensor)
    /// An array of strings.
    case strings(StringTensor)
    /// Tensors one after the other, of any shapes.
    case sequence([Tensor])
    /// An optional that holds nothing.
    case none

    /// The tensor, or nil if the value is none.
    public var tensor: Tensor? {
        guard case .tensor(let tensor) = self else { return nil }
        return tensor
    }

    /// What the value is, for messages.
    public var kind: String {
        switch self {
        case .tensor: "a tensor"
        case .strings: "a tensor of strings"
        case .sequence: "a sequence"
        case .none: "an empty optional"
        }
    }
}
