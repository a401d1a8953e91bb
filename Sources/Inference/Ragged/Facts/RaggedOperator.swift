import TensorCore

/// An operator that tells what it gives for a sequence alone, so that what stands behind it can be planned.
protocol MeasuredOperator: Operator {
    /// What is true of the outputs for every sequence alone, given what is true of the inputs.
    ///
    /// - Parameter inputs: The node's inputs.
    /// - Returns: The facts of each output.
    /// - Throws: Why nothing can be said.
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts]

    /// The input that the first output always equals, if there is one.
    func equalInput(_ inputs: NodeFacts) -> Int?
}

/// What an operator tells the ragged planner of itself.
///
/// An operator that conforms can be run over the rows of many sequences at once; one that does not is run sequence by
/// sequence. Neither rule knows what stands around the node.
protocol RaggedOperator: MeasuredOperator {
    /// Adds to a packed graph what computes the outputs for all sequences.
    ///
    /// - Parameter packing: The node's inputs as rows, and the means to make others.
    /// - Returns: Each output as rows: `[N]` and its features, with N positions or sequences.
    /// - Throws: Why the node has to run sequence by sequence.
    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID]
}

extension MeasuredOperator {
    func equalInput(_ inputs: NodeFacts) -> Int? { nil }
}

/// Why a node cannot be run over packed rows.
struct NoRule: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What is known of a node's inputs.
struct NodeFacts {
    /// nil where absent.
    let inputs: [ValueFacts?]
    /// nil where absent or not constant.
    let constants: [Tensor?]
    let outputCount: Int

    var count: Int { inputs.count }

    /// The facts of an input that must be there.
    subscript(_ index: Int) -> ValueFacts {
        get throws(NoRule) {
            guard index < inputs.count, let facts = inputs[index] else {
                throw NoRule("input \(index) is missing")
            }
            return facts
        }
    }

    /// The facts of an input, nil if it is absent.
    func optional(_ index: Int) -> ValueFacts? { index < inputs.count ? inputs[index] : nil }

    /// The value of a constant input, nil if it is absent or not constant.
    func constant(_ index: Int) -> Tensor? { index < constants.count ? constants[index] : nil }

    /// The integers of an input that names axes or sizes; nil if it is absent.
    func integers(_ index: Int, unless attribute: [Int]?) throws(NoRule) -> [Int]? {
        if let attribute { return attribute }
        guard let facts = optional(index) else { return nil }
        guard let integers = facts.integers else { throw NoRule("input \(index) is not constant") }
        return integers
    }

    /// Facts of an output, or why there are none.
    func made(
        _ elementType: ElementType,
        _ extents: [Number],
        _ content: ValueFacts.Content = .unknown
    ) throws(NoRule) -> ValueFacts {
        guard let facts = ValueFacts(elementType, extents, content: content) else {
            throw NoRule("an axis may be empty")
        }
        return facts
    }

    /// An axis as an attribute names it, in `0 ..< rank`.
    static func axis(_ axis: Int, rank: Int) throws(NoRule) -> Int {
        guard axis >= -rank, axis < rank else { throw NoRule("axis \(axis) is outside of rank \(rank)") }
        return axis < 0 ? axis + rank : axis
    }

    /// Axes as an attribute names them, sorted.
    static func axes(_ axes: [Int], rank: Int) throws(NoRule) -> [Int] {
        var result: [Int] = []
        for axis in axes {
            let normal = try Self.axis(axis, rank: rank)
            guard !result.contains(normal) else { throw NoRule("axis \(axis) is named twice") }
            result.append(normal)
        }
        return result.sorted()
    }
}
