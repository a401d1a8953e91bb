import TensorCore

/// What a node computes: attributes are read once, when the operator is made; evaluating changes nothing in it.
///
/// An operator is made by an `init(_ reader: inout AttributeReader) throws(OperatorError)` and one line in
/// ``OperatorRegistry``.
protocol Operator: Sendable {
    /// Whether equal inputs always give equal outputs at a cost a plan may pay when it is made.
    var isFoldable: Bool { get }

    /// The same computation with what depends on constants alone done once, such as packed weights.
    ///
    /// - Parameter constants: The node's inputs, nil where they are absent or not constant.
    /// - Returns: The better operator for a node with the same inputs, or nil if there is none.
    func prepare(_ constants: [Tensor?]) -> (any Operator)?

    /// The same computation with its packed weights rounded to bfloat16.
    ///
    /// - Returns: The rounded operator, or nil if it has no packed weights.
    func narrowed() -> (any Operator)?

    /// The same computation with its packed weights transformed for minimal filtering.
    ///
    /// - Returns: The filtering operator, or nil if it is none or would not be faster.
    func filtered() -> (any Operator)?

    /// Whether it is one that ``filtered()`` gave.
    var isFiltered: Bool { get }

    /// The same computation with one more input behind its own, of the result's shape or broadcast with it, which is added.
    ///
    /// - Returns: The operator that adds, or nil if it cannot, or does already.
    func addingResidual() -> (any Operator)?

    /// Whether the operator itself takes 16-bit floats; else they are widened before it and its results rounded.
    var takesHalves: Bool { get }

    /// Computes the outputs.
    ///
    /// - Parameter inputs: The node's inputs; absent ones are nil.
    /// - Returns: The outputs in the node's order; those that nobody asked for may be left out at the end.
    /// - Throws: The rule that the inputs break.
    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs
}

extension Operator {
    var isFoldable: Bool { true }

    var takesHalves: Bool { false }

    func prepare(_ constants: [Tensor?]) -> (any Operator)? { nil }

    func narrowed() -> (any Operator)? { nil }

    func filtered() -> (any Operator)? { nil }

    var isFiltered: Bool { false }

    func addingResidual() -> (any Operator)? { nil }
}

/// The outputs of one evaluation; the common case of one allocates nothing.
enum NodeOutputs {
    case one(Tensor)
    case many([Tensor])
    /// Values of any kind.
    case values([Value])
}

/// An operator that moves elements, or hands them on, whatever their type.
protocol TakingAllTypes {}

extension Operator where Self: TakingAllTypes {
    var takesHalves: Bool { true }
}
