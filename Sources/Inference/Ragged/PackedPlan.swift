import Kernels
import ONNXGraph
import TensorCore

/// A model planned for many sequences at once: a packed program, and a tail of what has no packed rule.
struct PackedPlan: Sendable {
    /// The longest sequence whose length every number type of the plan holds exactly.
    static let maximumLength = 1 << 24

    private let sequence: SequenceInput
    private let rules: [OutputRule]
    let program: Program
    private let times: [LengthFunction]
    private let lengths: [LengthFunction]
    private let outputs: [Lowering.Output]
    private let tail: Lowering.Tail?
    private let limits: ModelLimits
    /// Whether a step of many sequences costs less than those of each; such a batch is never parted.
    private let takesSteps: Bool
    /// How each node runs.
    let report: PlanReport

    /// Plans a graph.
    ///
    /// - Parameters:
    ///   - planned: The graph with all passes done.
    ///   - inputs: The facts of its inputs.
    ///   - signature: What the inputs mean.
    ///   - rules: Its outputs.
    ///   - disabled: Passes over the packed graph that are left out.
    /// - Throws: Why nothing of it can be packed.
    init(
        _ planned: PlannedGraph,
        inputs: PackedInputs,
        signature: Signature,
        rules: [OutputRule],
        without disabled: Set<PassName> = []
    ) throws(NoRule) {
        let lowering = Lowering(planned.graph, sequence: inputs.sequence, inputs: inputs.facts)
        let result = try lowering.finish(without: disabled) { (index, facts) in rules[index].fits(facts) }
        report = PlanReport(steps: lowering.steps, fault: nil)
        guard report.steps.contains(where: { $0.way == .packed }) else {
            throw NoRule("nothing can be packed")
        }
        sequence = signature.sequence
        self.rules = rules
        program = result.program
        times = result.times
        outputs = result.outputs
        tail = result.tail
        limits = planned.limits
        takesSteps = result.takesSteps
        lengths = Array(lowering.lengths)
    }

    /// Up to this many rows, the values between two operators stay in the second-level cache.
    private static let rowsAtOnce = 512

    /// The outputs of a batch, or nil if it has to be run sequence by sequence.
    func run(_ batch: SequenceBatch) -> [SequenceOutput]? {
        let parts = takesSteps ? [] : Self.parts(batch)
        guard parts.count > 1 else { return whole(batch) }
        var answers = [[SequenceOutput]?](repeating: nil, count: parts.count)
        answers.withUnsafeMutableBufferPointer { answers in
            Parallel.forEach(parts.count, work: batch.rowCount / parts.count * Parallel.workOfRow) {
                for index in $0 { answers[index] = whole(batch.slice(parts[index])) }
            }
        }
        var outputs = [[SequenceOutput]](repeating: [], count: rules.count)
        for answers in answers {
            guard let answers else { return nil }
            for (index, answer) in answers.enumerated() { outputs[index].append(answer) }
        }
        var results: [SequenceOutput] = []
        for (index, answers) in outputs.enumerated() {
            guard let rows = try? rules[index].pack(answers.map(\.rows)) else { return nil }
            let lengths = answers.compactMap(\.lengths)
            guard lengths.isEmpty || lengths.count == answers.count else { return nil }
            results.append(
                SequenceOutput(
                    name: rules[index].name,
                    rows: rows,
                    lengths: lengths.isEmpty ? nil : Array(lengths.joined())
                )
            )
        }
        return results
    }

    /// Sequences that follow each other, as many together as have few enough rows.
    private static func parts(_ batch: SequenceBatch) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var first = 0
        for index in 0..<batch.count
        where index > first && batch.offsets[index + 1] - batch.offsets[first] > rowsAtOnce {
            parts.append(first..<index)
            first = index
        }
        return parts + [first..<batch.count]
    }

    /// The outputs of a batch that is run at once.
    private func whole(_ batch: SequenceBatch) -> [SequenceOutput]? {
        guard let rows = rows(batch), let offsets = offsets(batch) else { return nil }
        return try? run(batch, rows, offsets)
    }

    /// The rows as the packed program takes them, if they are of the model's type.
    private func rows(_ batch: SequenceBatch) -> Tensor? {
        let rows = batch.rows
        switch sequence.kind {
        case .tokens: return rows.elementType == .int64 && rows.shape.rank == 1 ? rows : nil
        case .features(_, let channels):
            guard rows.elementType == .float32, rows.shape.rank == 2, rows.shape[1] == channels else {
                return nil
            }
            guard channels == 1, let shape = try? Shape(checking: [rows.shape[0]]) else { return rows }
            return try? rows.reshaped(to: shape)
        }
    }

    /// The first rows of the sequences for each length the program knows; nil if one is out of its range.
    private func offsets(_ batch: SequenceBatch) -> [Tensor]? {
        let sequences = batch.offsets
        guard batch.count > 0, let shape = try? Shape(checking: [batch.count + 1]) else { return nil }
        for index in 0..<batch.count {
            let length = sequences[index + 1] - sequences[index]
            guard (1...Self.maximumLength).contains(length) else { return nil }
            for function in lengths {
                guard let value = function(length), (1...Shape.maximumElementCount).contains(value) else {
                    return nil
                }
            }
        }
        var result: [Tensor] = []
        for time in times {
            var offsets: [Int64] = [0]
            offsets.reserveCapacity(batch.count + 1)
            var total = 0
            for index in 0..<batch.count {
                // Sequences and their lengths are bounded, so that the sum is.
                total += time(sequences[index + 1] - sequences[index]) ?? 0
                offsets.append(Int64(total))
            }
            guard total <= Shape.maximumElementCount, let tensor = try? Tensor(offsets, shape: shape) else {
                return nil
            }
            result.append(tensor)
        }
        return result
    }

    private func run(
        _ batch: SequenceBatch,
        _ rows: Tensor,
        _ offsets: [Tensor]
    ) throws(ExecutionError) -> [SequenceOutput]? {
        var budget = RunBudget(limits)
        return try withUnsafeMutablePointer(to: &budget) { (budget) throws(ExecutionError) in
            try run(batch, rows, offsets, Frame(for: program, budget), budget)
        }
    }

    private func run(
        _ batch: SequenceBatch,
        _ rows: Tensor,
        _ offsets: [Tensor],
        _ frame: consuming Frame,
        _ budget: UnsafeMutablePointer<RunBudget>
    ) throws(ExecutionError) -> [SequenceOutput]? {
        frame.set(program.inputs[0], to: rows)
        for (index, tensor) in offsets.enumerated() { frame.set(program.inputs[index + 1], to: tensor) }
        try program.run(frame)
        var collectors: [OutputCollector] = []
        if let tail {
            let left = rules.indices.filter { if case .tail = outputs[$0] { true } else { false } }
            collectors = left.map { OutputCollector(rules[$0]) }
            try run(tail, batch, offsets, frame, budget, &collectors)
        }
        var results: [SequenceOutput] = []
        for (index, output) in outputs.enumerated() {
            switch output {
            case .tail(let number): results.append(try collectors[number].output())
            case .rows(let number, let facts):
                guard let value = program.output(number, from: frame),
                    let answer = rules[index].answer(value, facts, batch)
                else { return nil }
                results.append(answer)
            }
        }
        return results
    }

    private func run(
        _ tail: Lowering.Tail,
        _ batch: SequenceBatch,
        _ offsets: [Tensor],
        _ frame: borrowing Frame,
        _ budget: UnsafeMutablePointer<RunBudget>,
        _ collectors: inout [OutputCollector]
    ) throws(ExecutionError) {
        do throws(OperatorError) {
            var values: [Tensor] = []
            var starts: [Segments?] = []
            for read in tail.reads {
                guard let value = program.output(read.output, from: frame) else { throw .missingInput(0) }
                values.append(value)
                if let time = read.time, let index = times.firstIndex(of: time) {
                    starts.append(try Segments(offsets[index], rows: value.shape[0]))
                } else {
                    starts.append(nil)
                }
            }
            let inner = Frame(for: tail.part.program, budget)
            for index in 0..<batch.count {
                // Each sequence may take what it could alone.
                budget.pointee = RunBudget(limits)
                let length = batch.offsets[index + 1] - batch.offsets[index]
                try tail.part.fill(
                    inner,
                    sequence: index,
                    length: length,
                    values: values,
                    starts: starts,
                    limits
                )
                do throws(ExecutionError) {
                    try tail.part.program.run(inner)
                    for position in collectors.indices {
                        guard let value = tail.part.program.output(position, from: inner) else {
                            throw .missingOutput("")
                        }
                        try collectors[position].append(value, length: length)
                    }
                } catch {
                    throw .subgraphExecution(error)
                }
            }
        } catch {
            throw .node(path: .root, operatorType: "Sequences", reason: error)
        }
    }
}

extension OutputRule {
    /// Whether rows of these facts can be answered as they are.
    func fits(_ facts: ValueFacts) -> Bool {
        guard let axes = try? axes(rank: facts.rank), facts.extents[axes.batch] == .integer(1),
            axes.time == facts.timeAxis
        else { return false }
        if case .steps = time { return facts.time == .length }
        return true
    }

    /// The answer that packed rows are.
    func answer(_ rows: Tensor, _ facts: ValueFacts, _ batch: SequenceBatch) -> SequenceOutput? {
        guard let axes = try? axes(rank: facts.rank), rows.shape.rank > 0 else { return nil }
        var dimensions = [rows.shape[0]]
        for axis in 0..<facts.rank where axis != axes.batch && axis != axes.time {
            guard let length = facts.constant(axis) else { return nil }
            dimensions.append(length)
        }
        guard let shape = try? Shape(checking: dimensions), let view = try? rows.reshaped(to: shape) else {
            return nil
        }
        let lengths = facts.time.map { time in batch.lengths.compactMap { time($0) } }
        return SequenceOutput(name: name, rows: view, lengths: lengths)
    }
}
