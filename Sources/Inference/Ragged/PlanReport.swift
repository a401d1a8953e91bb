/// How a model's nodes are run over a batch, for people.
public struct PlanReport: Sendable, Equatable {
    /// How a node is run.
    public enum Way: Sendable, Equatable {
        /// Over the rows of all sequences at once.
        case packed
        /// Not at all: a sequence's length alone says what it gives.
        case known
        /// Sequence by sequence, and why.
        case sequences(reason: String)
    }

    /// One node that the planner left to run.
    public struct Step: Sendable, Equatable {
        /// Where it is in the model.
        public let path: String
        /// Its operator.
        public let operatorType: String
        /// Type and shape of its result for a sequence of length L; nil if they are unknown.
        public let result: String?
        /// How it is run.
        public let way: Way
        /// Whether it is a convolution by minimal filtering.
        public let isFiltered: Bool
    }

    /// The nodes, in order.
    public let steps: [Step]
    /// Why nothing is packed, if so.
    public let fault: String?
}
