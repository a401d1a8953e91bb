public import ONNXGraph
public import TensorCore

/// Why a run of a plan failed.
public indirect enum ExecutionError: Error, Hashable, Sendable {
    /// A node could not be computed.
    case node(path: NodePath, operatorType: String, reason: OperatorError)
    /// An input of the plan was not given.
    case missingInput(String)
    /// An input was given that the plan does not have.
    case unknownInput(String)
    /// An input has another element type than the model declares.
    case inputElementType(name: String, expected: ElementType, actual: ElementType)
    /// An input has another rank, or another length of a fixed axis, than the model declares.
    case inputShape(name: String, reason: ShapeError)
    /// An input is of another kind than the model declares.
    case inputKind(name: String, expected: String, actual: String)
    /// An output is a sequence, an optional or strings where a tensor of numbers is asked for.
    case outputIsNoTensor(String)
    /// A batch without sequences.
    case emptyBatch
    /// A sequence of length 0.
    case emptySequence(index: Int)
    /// The rows of a batch cannot be laid out as the model's inputs.
    case batch(ShapeError)
    /// An output has no value.
    case missingOutput(String)
    /// An output does not have the shape that the signature says.
    case outputShape(name: String, actual: [Int])
}

extension ExecutionError: CustomStringConvertible {
    /// The place and the rule that was broken.
    public var description: String {
        switch self {
        case .node(let path, let type, let reason): "\(path) (\(type)): \(reason)"
        case .missingInput(let name): "input \(name) is missing"
        case .unknownInput(let name): "the model has no input \(name)"
        case .inputElementType(let name, let expected, let actual):
            "input \(name) has element type \(actual.rawValue), not \(expected.rawValue)"
        case .inputShape(let name, let reason): "input \(name): \(reason)"
        case .inputKind(let name, let expected, let actual): "input \(name) is \(actual), not \(expected)"
        case .outputIsNoTensor(let name): "output \(name) is no tensor of numbers"
        case .emptyBatch: "the batch has no sequences"
        case .emptySequence(let index): "sequence \(index) is empty"
        case .batch(let reason): "batch: \(reason)"
        case .missingOutput(let name): "output \(name) has no value"
        case .outputShape(let name, let actual):
            "output \(name) has shape \(actual), which the signature does not allow"
        }
    }
}
