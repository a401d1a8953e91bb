public import TensorCore

/// Why a node cannot be planned or computed; which node it is, ``PlanError`` and ``ExecutionError`` say.
public indirect enum OperatorError: Error, Hashable, Sendable {
    /// Shapes that do not fit, or a tensor over the size limit of ``Shape``.
    case shape(ShapeError)
    /// A tensor that would need more memory than a run may ask for at once.
    case tensorTooLarge(shape: [Int], limitBytes: Int)
    /// A tensor within the limit for which the system has no memory.
    case outOfMemory(shape: [Int])
    /// The operator is not computed for this element type.
    case unsupportedElementType(ElementType, input: Int)
    /// Two inputs that must have one element type have two.
    case elementTypesDiffer(ElementType, ElementType)
    /// An input the operator cannot do without.
    case missingInput(Int)
    /// The node has more or fewer inputs than the operator knows in this opset.
    case inputCount(Int, allowed: ClosedRange<Int>)
    /// The node has more or fewer outputs than the operator gives.
    case outputCount(Int, allowed: ClosedRange<Int>)
    /// An input has a rank the operator does not take.
    case unsupportedRank(Int, input: Int)
    /// An attribute the operator needs.
    case missingAttribute(String)
    /// An attribute of another type than the operator's.
    case attributeType(String, expected: String)
    /// An attribute whose value the operator does not allow.
    case attributeValue(String)
    /// An attribute that the operator does not know in this opset.
    case unknownAttribute(String)
    /// An index outside an axis.
    case indexOutOfRange(index: Int, length: Int)
    /// An input value the operator does not allow, such as a step of 0.
    case inputValue(input: Int)
    /// An integer division by zero.
    case divisionByZero
    /// A window over more positions than an axis has, its padding included.
    case windowTooLong(extent: Int, length: Int)
    /// The scan inputs have different lengths.
    case scanLengthsDiffer([Int])
    /// A subgraph with another number of inputs or outputs than its node.
    case subgraphSignature(attribute: String, expected: Int, actual: Int)
    /// The loops of the run go on after this many iterations.
    case tooManyIterations(limit: Int)
    /// The scan outputs of a Loop or Scan have more bytes than the limit.
    case scanOutputsTooLarge(limitBytes: Int)
    /// An input of another kind: a sequence where a tensor must be, or the other way round.
    case inputKind(input: Int, expected: String, actual: String)
    /// A sequence of more tensors than a run may have.
    case sequenceTooLong(limit: Int)
    /// Strings that need more memory than a run may ask for at once.
    case stringsTooLarge(limitBytes: Int)
    /// A node inside a subgraph cannot be planned.
    case subgraphPlan(PlanError)
    /// A node inside a subgraph cannot be computed.
    case subgraphExecution(ExecutionError)
}

extension OperatorError: CustomStringConvertible {
    /// The rule that was broken, with the figures.
    public var description: String {
        switch self {
        case .shape(let error): error.description
        case .tensorTooLarge(let shape, let limit):
            "a tensor of shape \(shape) is over the limit of \(limit) bytes"
        case .outOfMemory(let shape): "there is no memory for a tensor of shape \(shape)"
        case .unsupportedElementType(let type, let input):
            "input \(input) has the unsupported element type \(type.rawValue)"
        case .elementTypesDiffer(let a, let b): "element types \(a.rawValue) and \(b.rawValue) differ"
        case .missingInput(let index): "input \(index) is missing"
        case .inputCount(let count, let allowed):
            "\(count) inputs, not \(allowed.lowerBound) to \(allowed.upperBound)"
        case .outputCount(let count, let allowed):
            "\(count) outputs, not \(allowed.lowerBound) to \(allowed.upperBound)"
        case .unsupportedRank(let rank, let input): "input \(input) has the unsupported rank \(rank)"
        case .missingAttribute(let name): "attribute \(name) is missing"
        case .attributeType(let name, let expected): "attribute \(name) is not of type \(expected)"
        case .attributeValue(let name): "attribute \(name) has a value that is not allowed"
        case .unknownAttribute(let name): "attribute \(name) is unknown"
        case .indexOutOfRange(let index, let length): "index \(index) is outside an axis of length \(length)"
        case .inputValue(let input): "input \(input) has a value that is not allowed"
        case .divisionByZero: "integer division by zero"
        case .windowTooLong(let extent, let length):
            "a window over \(extent) positions does not fit on \(length)"
        case .scanLengthsDiffer(let lengths): "scan inputs have the different lengths \(lengths)"
        case .subgraphSignature(let attribute, let expected, let actual):
            "subgraph \(attribute) has \(actual) inputs or outputs, not \(expected)"
        case .tooManyIterations(let limit): "the run's loops go on after \(limit) iterations"
        case .scanOutputsTooLarge(let limit): "scan outputs are over the limit of \(limit) bytes"
        case .inputKind(let input, let expected, let actual): "input \(input) is \(actual), not \(expected)"
        case .sequenceTooLong(let limit): "a sequence of more than \(limit) tensors"
        case .stringsTooLarge(let limit): "strings of more than \(limit) bytes"
        case .subgraphPlan(let error): error.description
        case .subgraphExecution(let error): error.description
        }
    }
}
