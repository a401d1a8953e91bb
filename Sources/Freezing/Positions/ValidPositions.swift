import ONNXGraph

/// Which elements of a normalization's input in a loop belong to valid positions.
struct ValidPositions: Hashable, Sendable {
    /// The single positions of sequences that all of it is of; valid where all of them are.
    let slices: [TimeSlice]
    /// The axes that are neither the batch nor the channels.
    let positions: [SequenceAxis]

    /// Finds them.
    ///
    /// A sequence counts at a step of a loop over time if the step's position is one of the sequence's, and a position on an axis
    /// of time if it is.
    ///
    /// - Parameters:
    ///   - path: The normalization's node.
    ///   - isChannelsFirst: Whether its channels are on axis 1, else on the last.
    ///   - analysis: What is known of its input, and of the loops around it.
    /// - Throws: Why that is not known.
    init(
        of path: NodePath,
        isChannelsFirst: Bool,
        _ analysis: AxisAnalysis
    ) throws(UnknownPositions) {
        guard let facts = analysis.facts[path], facts.axes.count > 1, facts.axes[0] == .batch else {
            throw .axes
        }
        var others = Array(facts.axes.dropFirst())
        let channels = isChannelsFirst ? others.removeFirst() : others.removeLast()
        guard !channels.isOfSequences, others.count(where: { $0 == .time }) < 2,
            others.allSatisfy({ $0 == .time || !$0.isOfSequences })
        else { throw .axes }
        positions = others
        var slices: [TimeSlice] = []
        var partial: [(loop: NodePath, slices: Set<TimeSlice>)] = []
        for (index, step) in path.steps.enumerated() where step.isLoop {
            let node = path.prefix(throughNode: index)
            let loop = analysis.loops[node] ?? AxisAnalysis.Loop()
            guard !loop.isUnclear else { throw .steps }
            let found = analysis.slices(of: facts, in: node)
            guard found.count < 2 else { throw .severalPositions }
            slices += found
            if found.isEmpty {
                guard !loop.runsForTime || !loop.partialSlices.isEmpty else { throw .steps }
                partial.append((node, loop.partialSlices))
            }
        }
        // A loop that tells only a part of a position needs the rest of it.
        for (loop, parts) in partial where !parts.isEmpty {
            guard slices.contains(where: { $0.loops.contains(loop) }) else { throw .steps }
        }
        self.slices = slices
    }
}
