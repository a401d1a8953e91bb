import ONNXGraph
import TensorCore

/// Makes of a model's graph one that computes many sequences at once.
///
/// Each node whose operator has a rule that fits becomes a node over packed rows. Other nodes wait until a packed one needs
/// what they give, and then run together with the ones they depend on as a ``SequenceIsland``; what only an output needs
/// is left to a last part, the tail.
struct Lowering {
    private let source: PlanGraph
    private let analysis: LengthAnalysis
    private let packed = PackedGraph()
    private let producers: [Int?]
    private let readers: [[Int]]
    /// By node, why it is not packed.
    private(set) var reasons: [Int: NoRule]
    private let islands = IslandLog()

    private final class IslandLog { var nodes: [Int: Int] = [:], count = 0 }

    /// Lowers a graph.
    ///
    /// - Parameters:
    ///   - source: A graph with all passes done.
    ///   - sequence: Its input that is the sequence, which becomes the packed graph's first.
    ///   - inputs: The facts of all its inputs.
    init(_ source: PlanGraph, sequence: PlanGraph.ValueID?, inputs: [PlanGraph.ValueID: ValueFacts]) {
        self.source = source
        analysis = LengthAnalysis(source, inputs: inputs)
        producers = source.producers()
        var readers = [[Int]](repeating: [], count: source.values.count)
        for (index, node) in source.nodes.enumerated() {
            for case .some(let id) in node.inputs { readers[id].append(index) }
        }
        self.readers = readers
        reasons = analysis.reasons
        if let sequence { packed.put(sequence, at: .rows(packed.sequence)) }
        let lowering = self
        packed.flush = { (id) throws(NoRule) in try lowering.flush([id])[0] }
        for index in source.nodes.indices { lower(index) }
    }

    private mutating func lower(_ index: Int) {
        let node = source.nodes[index]
        let outputs = node.outputs.map { $0.flatMap { analysis.facts[$0] } }
        if outputs.allSatisfy({ $0.map { $0.content != .unknown } ?? false }) { return }
        do throws(NoRule) {
            if let reason = reasons[index] { throw reason }
            guard let computation = node.computation as? any RaggedOperator else {
                throw NoRule("\(node.operatorType) has no packed rule")
            }
            var facts: [ValueFacts] = []
            for (position, id) in node.outputs.enumerated() {
                guard let known = id == nil ? outputs.compactMap({ $0 }).first : outputs[position] else {
                    throw NoRule("the shape of output \(position) is unknown")
                }
                guard known.isPackable else { throw NoRule("\(known) has more than one time axis") }
                facts.append(known)
            }
            let packing = NodePacking(
                node: node,
                known: analysis.known(node, in: source),
                outputs: facts,
                graph: packed
            )
            let rows = try computation.pack(packing)
            guard rows.count >= node.outputs.count else { throw NoRule("an output has no rule") }
            for (id, row) in zip(node.outputs, rows) { if let id { packed.put(id, at: .rows(row)) } }
        } catch {
            reasons[index] = error
            for case .some(let id) in node.outputs { packed.put(id, at: .pending(node: index)) }
        }
    }

    /// The nodes that give values and wait, with the ones they depend on, in order.
    private func waiting(for ids: [PlanGraph.ValueID]) -> [Int] {
        var found: Set<Int> = []
        var stack = ids
        while let id = stack.popLast() {
            guard case .pending(let node)? = packed.place(of: id), found.insert(node).inserted else {
                continue
            }
            for case .some(let input) in source.nodes[node].inputs { stack.append(input) }
        }
        return found.sorted()
    }

    /// Nodes as a part with some outputs, and the values it reads.
    private func part(
        _ nodes: [Int],
        outputs: [PlanGraph.ValueID]
    ) throws(NoRule) -> (part: SequencePart, reads: [PlanGraph.ValueID]) {
        var graph = PlanGraph()
        var inputs: [SequencePart.Input] = []
        var reads: [PlanGraph.ValueID] = []
        var numbers: [PlanGraph.ValueID: PlanGraph.ValueID] = [:]
        func add(_ id: PlanGraph.ValueID) throws(NoRule) -> PlanGraph.ValueID {
            if let number = numbers[id] { return number }
            if let constant = source.constant(id) {
                numbers[id] = graph.addValue(named: source.values[id].name, constant: constant)
            } else {
                guard let facts = analysis.facts[id] else { throw NoRule("the shape of an input is unknown") }
                let number = graph.addValue(named: source.values[id].name)
                numbers[id] = number
                graph.inputs.append(number)
                if facts.content != .unknown {
                    inputs.append(SequencePart.Input(source: .known, facts: facts))
                } else {
                    inputs.append(SequencePart.Input(source: .rows(reads.count), facts: facts))
                    reads.append(id)
                }
            }
            return numbers[id] ?? 0
        }
        for index in nodes {
            let node = source.nodes[index]
            var operands: [PlanGraph.ValueID?] = []
            for id in node.inputs {
                guard let id else {
                    operands.append(nil)
                    continue
                }
                operands.append(try add(id))
            }
            var results: [PlanGraph.ValueID?] = []
            for id in node.outputs {
                guard let id else {
                    results.append(nil)
                    continue
                }
                let number = graph.addValue(named: source.values[id].name)
                numbers[id] = number
                results.append(number)
            }
            graph.nodes.append(
                PlanGraph.Node(
                    path: node.path,
                    operatorType: node.operatorType,
                    computation: node.computation,
                    inputs: operands,
                    outputs: results
                )
            )
        }
        for id in outputs { graph.outputs.append(try add(id)) }
        return (SequencePart(program: Program(graph), inputs: inputs), reads)
    }

    /// Adds an island that gives some values.
    private func flush(_ ids: [PlanGraph.ValueID]) throws(NoRule) -> [PlanGraph.ValueID] {
        let nodes = waiting(for: ids)
        let inside = Set(nodes)
        var outputs = ids
        for index in nodes {
            for case .some(let id) in source.nodes[index].outputs where !outputs.contains(id) {
                let isRead = readers[id].contains { !inside.contains($0) } || source.outputs.contains(id)
                if isRead, analysis.facts[id]?.isPackable ?? false { outputs.append(id) }
            }
        }
        var facts: [ValueFacts] = []
        for id in outputs {
            guard let known = analysis.facts[id], known.isPackable || known.hasPairs else {
                throw NoRule("the shape of an input is unknown")
            }
            facts.append(known)
        }
        let (part, reads) = try part(nodes, outputs: outputs)
        var inputs: [PlanGraph.ValueID?] = []
        var times: [LengthFunction?] = []
        for id in reads {
            guard case .rows(let rows)? = packed.place(of: id), let known = analysis.facts[id] else {
                throw NoRule("an input is not computed")
            }
            inputs.append(rows)
            times.append(known.time)
        }
        var offsetInputs: [Int?] = []
        for time in times {
            offsetInputs.append(time == nil ? nil : inputs.count)
            if let time { inputs.append(packed.offsets(time)) }
        }
        inputs.append(packed.offsets(.length))
        let first = source.nodes[nodes[0]]
        let results = packed.emit(
            first.path,
            "Sequences",
            SequenceIsland(part: part, offsetInputs: offsetInputs, outputs: facts),
            inputs,
            outputs: outputs.count
        )
        for index in outputs.indices where facts[index].isPackable {
            packed.put(outputs[index], at: .rows(results[index]))
        }
        islands.count += 1
        for index in nodes { islands.nodes[index] = islands.count }
        return Array(results.prefix(ids.count))
    }
}

extension Lowering {
    /// The packed program and what is left to do behind it.
    struct Result {
        let program: Program
        let times: [LengthFunction]
        /// For each output of the model: where it is, and its facts if it is packed.
        let outputs: [Output]
        let tail: Tail?
        /// Whether a node takes steps over sequences side by side.
        let takesSteps: Bool
    }

    enum Output {
        /// The output of this number of the packed program.
        case rows(Int, ValueFacts)
        /// The output of this number of the tail.
        case tail(Int)
    }

    /// What runs sequence by sequence behind the packed program.
    struct Tail: Sendable {
        let part: SequencePart
        /// Which outputs of the packed program the part reads, and their lengths.
        let reads: [(output: Int, time: LengthFunction?)]
    }

    /// Ends the packed graph.
    ///
    /// - Parameters:
    ///   - disabled: Passes over the packed graph that are left out.
    ///   - fits: Whether an output of these facts can be answered from its rows.
    /// - Returns: The program, and where each output is.
    /// - Throws: Why an output cannot be computed.
    func finish(
        without disabled: Set<PassName> = [],
        fits: (_ output: Int, _ facts: ValueFacts) -> Bool
    ) throws(NoRule) -> Result {
        var places: [Output?] = []
        var rows: [PlanGraph.ValueID] = []
        var left: [PlanGraph.ValueID] = []
        for (index, id) in source.outputs.enumerated() {
            if source.constant(id) == nil, let facts = analysis.facts[id], facts.isPackable,
                fits(index, facts),
                let number = try? packed.rows(of: id, facts)
            {
                places.append(.rows(rows.count, facts))
                rows.append(number)
            } else {
                places.append(nil)
                left.append(id)
            }
        }
        var tail: Tail?
        if !left.isEmpty {
            let (part, reads) = try part(waiting(for: left), outputs: left)
            var outputs: [(output: Int, time: LengthFunction?)] = []
            for id in reads {
                guard case .rows(let number)? = packed.place(of: id), let facts = analysis.facts[id] else {
                    throw NoRule("an input is not computed")
                }
                outputs.append((rows.count, facts.time))
                rows.append(number)
            }
            for time in outputs.compactMap(\.time) { _ = packed.offsets(time) }
            tail = Tail(part: part, reads: outputs)
        }
        var next = 0
        let outputs = places.map { place in
            if let place { return place }
            next += 1
            return Output.tail(next - 1)
        }
        packed.flush = { _ throws(NoRule) in throw NoRule("the graph is finished") }
        var graph = packed.finished(outputs: rows)
        PlannerPasses.runPacked(on: &graph, without: disabled)
        return Result(
            program: Program(graph),
            times: packed.times,
            outputs: outputs,
            tail: tail,
            takesSteps: graph.nodes.contains { $0.computation is any SteppingOperator }
        )
    }

    /// All lengths that a value has along an axis.
    var lengths: Set<LengthFunction> {
        var lengths: Set<LengthFunction> = []
        for case .some(let facts) in analysis.facts {
            for case .length(let function) in facts.extents { lengths.insert(function) }
        }
        return lengths
    }

    /// How each node runs.
    var steps: [PlanReport.Step] {
        source.nodes.indices.map { index in
            let node = source.nodes[index]
            let outputs = node.outputs.map { $0.flatMap { analysis.facts[$0] } }
            let way: PlanReport.Way
            if outputs.allSatisfy({ $0.map { $0.content != .unknown } ?? false }) {
                way = .known
            } else if let reason = reasons[index] {
                way = .sequences(reason: reason.reason)
            } else {
                way = .packed
            }
            return PlanReport.Step(
                path: "\(node.path)",
                operatorType: node.operatorType,
                result: outputs.first.flatMap { $0?.description },
                way: way,
                isFiltered: node.computation.isFiltered
            )
        }
    }
}
