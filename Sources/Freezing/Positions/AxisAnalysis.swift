import Inference
import ONNXGraph

/// Follows the axes of sequences and positions from the inputs of a training graph through its operators and loops.
///
/// Where an operator is not known, or puts sequences and positions into another order, nothing is known of what it makes: the
/// analysis never guesses.
struct AxisAnalysis {
    /// What is known of a loop.
    struct Loop {
        /// The positions that its steps work on, one of them for each value.
        var slices: Set<TimeSlice> = []
        /// The positions that loops inside of it work on, and which its own steps tell as well.
        var partialSlices: Set<TimeSlice> = []
        /// Whether its steps may work on positions in a way that is not known.
        var isUnclear = false
        /// Whether it runs a step for every position.
        var runsForTime = false
    }

    /// Deeper loops are not followed, since each is followed several times for every time the one around it is.
    static let deepestLoop = 6
    private static let mostRounds = 12

    /// What is known of the first input of the watched nodes.
    private(set) var facts: [NodePath: AxisFacts] = [:]
    /// By the loops' nodes.
    private(set) var loops: [NodePath: Loop] = [:]
    let opset: Int
    private let watched: Set<NodePath>

    /// Follows the axes of a model.
    ///
    /// - Parameters:
    ///   - model: A valid model.
    ///   - signature: What its inputs mean; nil to go by their declared axes.
    ///   - watched: The nodes of whose first inputs the facts are wanted.
    /// - Complexity: O(nodes), times a small number for every loop around a node.
    init(_ model: Model, signature: Signature?, watching watched: Set<NodePath>) {
        opset = model.opsetImports[""] ?? 0
        self.watched = watched
        _ = visit(model.graph, at: .root, InputAxes.facts(model.graph, signature: signature), [])
    }

    /// Follows the nodes of a graph; what is known of its values.
    mutating func visit(
        _ graph: Graph,
        at path: NodePath,
        _ outer: KnownAxes,
        _ stack: [NodePath]
    ) -> KnownAxes {
        var known = outer
        for initializer in graph.initializers where known[initializer.name] == nil {
            known[initializer.name] = AxisFacts(initializer)
        }
        for (index, node) in graph.nodes.enumerated() {
            let nodePath = path.appending(node, at: index)
            let inputs = node.inputs.map { $0.isEmpty ? nil : known[$0] }
            if watched.contains(nodePath) { facts[nodePath] = inputs.first ?? nil }
            let outputs: [AxisFacts?]
            if node.isScan(opset: opset) || node.isLoop {
                outputs = turn(node, at: nodePath, inputs, known, stack)
            } else if node.isConditional {
                outputs = branches(node, at: nodePath, known, stack)
            } else {
                outputs = AxisRules(node, inputs, opset: opset, graph: path, stack: stack).outputs()
                note(node, inputs, outputs, stack)
            }
            for (position, name) in node.outputs.enumerated() where !name.isEmpty {
                known[name] = outputs.indices.contains(position) ? outputs[position] : nil
            }
        }
        return known
    }

    /// Follows a body until its states do not change what is known of them.
    ///
    /// - Parameters:
    ///   - body: The body of a loop.
    ///   - path: The loop's node.
    ///   - before: What is known of the inputs before the states, of which outputs come first too, one less than these.
    ///   - first: What is known of the first states.
    ///   - parts: What is known of the inputs behind the states.
    ///   - known: What is known of the values that the loop sees.
    ///   - stack: The nodes of the loops around it, outermost first.
    /// - Returns: What is known of the states after any number of steps, and of the outputs behind them at any step.
    mutating func repeated(
        _ body: Graph,
        at path: NodePath,
        before: [AxisFacts] = [],
        _ first: [AxisFacts?],
        _ parts: [AxisFacts?],
        _ known: KnownAxes,
        _ stack: [NodePath]
    ) -> [AxisFacts?] {
        var states = first
        let names = body.inputs.map(\.name)
        let skipped = max(0, before.count - 1)
        for _ in 0..<Self.mostRounds {
            var inside = known.entered()
            for (name, facts) in zip(names, before + states + parts) { inside[name] = facts }
            let made = visit(body, at: path.entering("body"), inside, stack + [path])
            let outputs = body.outputs.dropFirst(skipped).map { made[$0.name] }
            guard outputs.count >= states.count else { break }
            let next = zip(states, outputs).map { state, output in output.flatMap { state?.joined(with: $0) }
            }
            if next == states { return states + outputs.dropFirst(states.count) }
            states = next
        }
        loops[path, default: Loop()].isUnclear = true
        return []
    }

    /// Notes the positions that a node picks, and loops that may do so in a way that is not known.
    private mutating func note(
        _ node: Node,
        _ inputs: [AxisFacts?],
        _ outputs: [AxisFacts?],
        _ stack: [NodePath]
    ) {
        guard !stack.isEmpty else { return }
        let before = Set(inputs.flatMap { $0?.slices ?? [] })
        for slice in Set(outputs.flatMap { $0?.slices ?? [] }).subtracting(before) {
            loops[slice.loop, default: Loop()].slices.insert(slice)
            for other in slice.loops where other != slice.loop {
                loops[other, default: Loop()].partialSlices.insert(slice)
            }
        }
        let named = zip(node.inputs, inputs).filter { !$0.0.isEmpty }.map(\.1)
        let isUnknown = named.contains { $0 == nil }
        let hasPositions = named.contains { $0?.axes.contains { $0 == .time || $0 == .mixed } ?? true }
        let turning = Set(named.flatMap { $0?.loops ?? [] })
        guard hasPositions, isUnknown || !turning.isEmpty,
            outputs.isEmpty || outputs.contains(where: { $0?.axes.contains(.mixed) ?? true })
        else { return }
        for loop in isUnknown ? Set(stack) : turning { loops[loop, default: Loop()].isUnclear = true }
    }

    private mutating func branches(
        _ node: Node,
        at path: NodePath,
        _ known: KnownAxes,
        _ stack: [NodePath]
    ) -> [AxisFacts?] {
        var joined: [AxisFacts?]?
        for (attribute, graph) in node.subgraphs {
            let inside = visit(graph, at: path.entering(attribute), known.entered(), stack)
            let outputs = graph.outputs.map { inside[$0.name] }
            joined =
                joined.map { zip($0, outputs).map { a, b in b.flatMap { a?.joined(with: $0) } } } ?? outputs
        }
        let condition = node.inputs.first.flatMap { known[$0] }
        return (joined ?? []).map { facts in
            guard var facts, let condition else { return nil }
            facts.slices.formUnion(condition.slices)
            facts.loops.formUnion(condition.loops)
            return facts
        }
    }

    /// Takes note that nothing is known of a loop.
    mutating func giveUp(on loop: NodePath) { loops[loop, default: Loop()].isUnclear = true }

    /// Takes note of positions that the steps of a loop work on.
    mutating func add(_ slice: TimeSlice, to loop: NodePath) {
        loops[loop, default: Loop()].slices.insert(slice)
    }

    /// Takes note that a loop runs a step for every position.
    mutating func runsForTime(_ loop: NodePath) { loops[loop, default: Loop()].runsForTime = true }
}

/// What is known of the values that a graph sees.
struct KnownAxes {
    private var levels: [[String: AxisFacts]] = [[:]]

    /// What a subgraph sees, to which its own values are added.
    func entered() -> KnownAxes {
        var inner = self
        inner.levels.append([:])
        return inner
    }

    subscript(name: String) -> AxisFacts? {
        get {
            for level in levels.reversed() {
                if let facts = level[name] { return facts }
            }
            return nil
        }
        set { levels[levels.count - 1][name] = newValue }
    }
}
