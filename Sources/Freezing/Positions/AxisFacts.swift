import ONNXGraph
import TensorCore

/// What is known of a value of a training graph: what its axes run over, and which steps of loops it belongs to.
struct AxisFacts: Hashable, Sendable {
    /// The axes, outermost first.
    var axes: [SequenceAxis]
    /// The lengths that a value made of whole numbers holds, by what they are the lengths of; nil if that is not known.
    var numbers: [SequenceAxis]?
    /// The single positions of sequences that the value is of, or is computed from, in the loops that are running.
    var slices: Set<TimeSlice> = []
    /// The bodies of loops, by their nodes, whose steps the value depends on.
    var loops: Set<NodePath> = []
    /// The Loop whose step's number the value is.
    var iteration: NodePath?

    /// What two values have in common of which either may come, as from the branches of an If; nil if not even their rank.
    func joined(with another: AxisFacts) -> AxisFacts? {
        guard axes.count == another.axes.count else { return nil }
        return AxisFacts(
            axes: zip(axes, another.axes).map { $0.joined(with: $1) },
            numbers: numbers == another.numbers ? numbers : nil,
            slices: slices.union(another.slices),
            loops: loops.union(another.loops),
            iteration: iteration == another.iteration ? iteration : nil
        )
    }

    /// What is known of a value after a loop has ended.
    func leaving(_ loop: NodePath) -> AxisFacts {
        var facts = self
        facts.slices = slices.filter { $0.loop != loop }
        facts.loops.remove(loop)
        if iteration == loop { facts.iteration = nil }
        return facts
    }
}

extension AxisFacts {
    private static let longestNumbers = 64

    /// The facts of a constant.
    init(_ constant: Initializer) {
        let dimensions = constant.dimensions
        axes = dimensions.map { .other($0) }
        let count = dimensions.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        guard dimensions.count < 2, count <= Self.longestNumbers,
            constant.elementType == .int64 || constant.elementType == .int32,
            let values = (try? constant.tensor())?.numbers
        else { return }
        numbers = values.map { Int(exactly: $0).map { .other($0) } ?? .other(nil) }
    }
}

/// One position of every sequence, which a step of a loop works on.
struct TimeSlice: Hashable, Sendable {
    enum Source: Hashable, Sendable {
        /// What a Scan hands to the step.
        case scan(isBackward: Bool)
        /// What a Gather picks by the number that a value of its graph, or one around it, holds; `isStep` if that is the number
        /// of the step.
        case pick(index: String, graph: NodePath, isStep: Bool)
    }

    /// The node of the innermost loop whose steps tell the position.
    let loop: NodePath
    let source: Source
    /// All loops whose steps tell the position.
    let loops: Set<NodePath>

    /// Whether step 0 works on position 0, and so on.
    var isPickedByStep: Bool {
        if case .pick(_, _, let isStep) = source { isStep } else { false }
    }
}
