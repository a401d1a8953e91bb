import Kernels
import TensorCore

/// One evaluation of a Scan by its schedule: the prologue for all steps at once, then the loop in place.
///
/// Either over a batch whose sequences all take all steps, or over the packed rows of sequences of different lengths
/// (``ScanRows``), where each step has the rows of the sequences that have not ended.
struct ScanRun {
    /// Beyond this many elements of scan inputs, values for all steps at once would take too much memory.
    static let maximumStackedCount = 1 << 26

    let schedule: ScanSchedule
    /// The nodes before the loop, and in it.
    let (prologue, loop): ([Int], [Int])
    let inputs: NodeInputs
    let steps: Int
    let isReversed: Bool
    /// Which rows each step has; nil where all steps have all.
    let packing: ScanRows?
    /// Values with a row for each sequence of each step, where rows are packed.
    var hasRows: [Bool]
    /// Constants and what the prologue has made; values that change by step have the steps as first axis.
    var tensors: [Tensor?]
    var places: [ScanPlace?]
    var program = StepProgram()
    var memory = ScanMemory()
    /// Which rows of tables each step reads.
    var lookups: [LookupKey: UnsafePointer<Int>] = [:]
    /// Products that are computed by the node that reads them.
    var products: [PlanGraph.ValueID: ScanProduct] = [:]

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - schedule: The body's.
    ///   - rows: The scan inputs, the steps first.
    ///   - captures: The values of the enclosing graph that the body reads.
    ///   - isReversed: Whether the first step reads the last element.
    ///   - inputs: The node's inputs.
    init(
        _ schedule: ScanSchedule,
        rows: [Tensor],
        captures: [Tensor],
        isReversed: Bool,
        _ inputs: NodeInputs
    ) {
        self.schedule = schedule
        self.inputs = inputs
        self.isReversed = isReversed
        (prologue, loop) = (schedule.prologue, schedule.loop)
        packing = nil
        steps = rows.first?.shape[0] ?? 0
        tensors = schedule.graph.values.map(\.constant)
        hasRows = [Bool](repeating: false, count: tensors.count)
        places = [ScanPlace?](repeating: nil, count: tensors.count)
        for (position, row) in rows.enumerated() {
            tensors[schedule.graph.inputs[schedule.stateCount + position]] = row
        }
        for (id, value) in zip(schedule.graph.captures, captures) { tensors[id] = value }
    }

    /// Prepares a run over packed rows.
    ///
    /// - Parameters:
    ///   - schedule: The body's, whose scan inputs are all read in the same direction.
    ///   - parts: What runs before the loop and in it.
    ///   - scanInputs: Rows as `packing` orders them, `[rows, features]`, where a sequence has its own; else, the same
    ///     for all sequences, `[steps, ...]`.
    ///   - captures: The values of the enclosing graph that the body reads, the same for all sequences.
    ///   - packing: The rows of each step.
    ///   - inputs: The node's inputs.
    init(
        _ schedule: ScanSchedule,
        parts: ScanParts,
        scanInputs: [ScanRows.Input],
        captures: [Tensor],
        packing: ScanRows,
        _ inputs: NodeInputs
    ) {
        self.schedule = schedule
        self.inputs = inputs
        self.packing = packing
        (prologue, loop) = (parts.prologue, parts.loop)
        isReversed = false
        steps = packing.alive.count
        tensors = schedule.graph.values.map(\.constant)
        hasRows = [Bool](repeating: false, count: tensors.count)
        places = [ScanPlace?](repeating: nil, count: tensors.count)
        for (position, input) in scanInputs.enumerated() {
            let id = schedule.graph.inputs[schedule.stateCount + position]
            switch input {
            case .rows(let tensor): (tensors[id], hasRows[id]) = (tensor, true)
            case .steps(let tensor): tensors[id] = tensor
            }
        }
        for (id, value) in zip(schedule.graph.captures, captures) { tensors[id] = value }
    }

    /// The last states, then the scan outputs with the steps first.
    ///
    /// - Parameters:
    ///   - states: The initial states.
    ///   - outputsReversed: For each scan output, whether the first step writes the last element.
    /// - Returns: Nil if the loop cannot run in place with these types and shapes, or a node fails.
    mutating func evaluate(_ states: [Tensor], outputsReversed: [Bool]) -> [Tensor]? {
        let stacked = tensors.indices.reduce(0) {
            schedule.roles[$1] == .stepped ? $0 + (tensors[$1]?.count ?? 0) : $0
        }
        guard stacked <= Self.maximumStackedCount else { return nil }
        for index in prologue { guard lookUp(index) || compute(index) else { return nil } }
        var results: [Tensor] = []
        for (position, state) in states.enumerated() {
            guard state.elementType == .float32,
                var copy = try? inputs.makeTensor(.float32, state.shape)
            else { return nil }
            state.withPointer(to: Float.self) { source in
                copy.withMutablePointer(to: Float.self) { $0.update(from: source, count: state.count) }
            }
            guard var place = place(copy, dimensions: state.shape.dimensions, step: 0) else { return nil }
            if packing != nil {
                guard state.shape.rank == 2 else { return nil }
                place.isPacked = true
            }
            places[schedule.graph.inputs[position]] = place
            results.append(copy)
        }
        for index in loop {
            guard add(index) else { return nil }
            let lastUse = schedule.lastUse
            memory.release { lastUse[$0] <= index }
        }
        for (position, isReversed) in outputsReversed.enumerated() {
            guard let output = addOutput(schedule.stateCount + position, isReversed: isReversed) else {
                return nil
            }
            results.append(output)
        }
        guard isWithinLimit(results[states.count...]) else { return nil }
        for position in states.indices {
            guard addState(position, into: results[position]) else { return nil }
        }
        // All memory that operations point into is that of these tensors and of `memory`.
        withExtendedLifetime((tensors, results, memory)) {
            if let packing { program.run(alive: packing.alive) } else { program.run(steps: steps) }
        }
        return results
    }
}
