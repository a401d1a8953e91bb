import Kernels
import TensorCore

/// One evaluation of a Scan by its schedule: the prologue for all steps at once, then the loop in place.
///
/// Either over a batch whose sequences all take all steps, or over the packed rows of sequences of different lengths
/// (``ScanRows``), where each step has the rows of the sequences that have not ended.
struct ScanRun {
    /// Beyond this many elements of scan inputs, values for all steps at once would take too much memory.
    static let maximumStackedCount = 1 << 26

    private let schedule: ScanSchedule
    /// The nodes before the loop, and in it.
    private let (prologue, loop): ([Int], [Int])
    private let inputs: NodeInputs
    private let steps: Int
    private let isReversed: Bool
    /// Which rows each step has; nil where all steps have all.
    private let packing: ScanRows?
    /// Values with a row for each sequence of each step, where rows are packed.
    private var hasRows: [Bool]
    /// Constants and what the prologue has made; values that change by step have the steps as first axis.
    private var tensors: [Tensor?]
    private var places: [Place?]
    private var program = StepProgram()
    private var memory = ScanMemory()

    /// A value of the loop: a matrix in memory.
    private struct Place {
        let dimensions: [Int]
        let start: UnsafePointer<Float>
        let row: Int
        let step: Int
        /// Whether the rows are those of sequences, of which later steps have fewer.
        var isPacked = false

        var rows: Int { dimensions.count > 1 ? dimensions[dimensions.count - 2] : 1 }
        var columns: Int { dimensions.last ?? 1 }
        /// With dense rows.
        var operand: StepProgram.Operand {
            StepProgram.Operand(
                start: start,
                row: row,
                column: 1,
                step: step,
                isPacked: isPacked && step != 0
            )
        }

        /// As one operand of a broadcast.
        func broadcast(columns: Int) -> StepProgram.Operand {
            StepProgram.Operand(
                start: start,
                row: rows == 1 && !isPacked ? 0 : row,
                column: self.columns == columns ? 1 : 0,
                step: step,
                isPacked: isPacked && step != 0
            )
        }
    }

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
        places = [Place?](repeating: nil, count: tensors.count)
        for (position, row) in rows.enumerated() {
            tensors[schedule.graph.inputs[schedule.stateCount + position]] = row
        }
        for (id, value) in zip(schedule.graph.captures, captures) { tensors[id] = value }
    }

    /// Prepares a run over packed rows.
    ///
    /// - Parameters:
    ///   - schedule: The body's, whose scan inputs are all read in the same direction.
    ///   - parts: What runs before the loop and in it, if not as for a batch.
    ///   - scanInputs: Rows as `packing` orders them, `[rows, features]`, where a sequence has its own; else, the same
    ///     for all sequences, `[steps, ...]`.
    ///   - captures: The values of the enclosing graph that the body reads, the same for all sequences.
    ///   - packing: The rows of each step.
    ///   - inputs: The node's inputs.
    init(
        _ schedule: ScanSchedule,
        parts: (prologue: [Int], loop: [Int])? = nil,
        scanInputs: [ScanRows.Input],
        captures: [Tensor],
        packing: ScanRows,
        _ inputs: NodeInputs
    ) {
        self.schedule = schedule
        self.inputs = inputs
        self.packing = packing
        (prologue, loop) = parts ?? (schedule.prologue, schedule.loop)
        isReversed = false
        steps = packing.alive.count
        tensors = schedule.graph.values.map(\.constant)
        hasRows = [Bool](repeating: false, count: tensors.count)
        places = [Place?](repeating: nil, count: tensors.count)
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
        for index in prologue { guard compute(index) else { return nil } }
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

    // MARK: Before the loop

    /// Evaluates a node of the prologue on whole tensors.
    private mutating func compute(_ index: Int) -> Bool {
        let node = schedule.graph.nodes[index]
        var arguments = node.inputs.map { id in id.flatMap { tensors[$0] } }
        let isStepped = node.inputs.contains { $0.map { schedule.roles[$0] == .stepped } ?? false }
        if let packing, node.inputs.contains(where: { $0.map { hasRows[$0] } ?? false }) {
            return compute(node, arguments, rowsOf: packing)
        }
        // Element by element with broadcasting, the steps must stand before the longest of the other shapes.
        if isStepped, !(node.computation is MatMul), !(node.computation is GatherOperator) {
            var rank = 0
            for (id, argument) in zip(node.inputs, arguments) {
                guard let id, let argument else { continue }
                rank = max(rank, argument.shape.rank - (schedule.roles[id] == .stepped ? 1 : 0))
            }
            for (position, id) in node.inputs.enumerated() {
                guard let id, schedule.roles[id] == .stepped, let argument = arguments[position],
                    argument.shape.rank <= rank
                else { continue }
                let missing = [Int](repeating: 1, count: rank + 1 - argument.shape.rank)
                let dimensions = [steps] + missing + argument.shape.dimensions.dropFirst()
                guard let shape = try? Shape(checking: dimensions),
                    let view = try? argument.reshaped(to: shape)
                else { return false }
                arguments[position] = view
            }
        }
        guard
            let outputs = try? NodeInputs.evaluate(
                node.computation,
                arguments,
                outputCount: node.outputs.count,
                budget: inputs.budget
            )
        else { return false }
        let results: [Tensor] =
            switch outputs {
            case .one(let tensor): [tensor]
            case .many(let tensors): tensors
            case .values: []
            }
        guard results.count >= node.outputs.count else { return false }
        for (id, result) in zip(node.outputs, results) {
            guard let id else { continue }
            if isStepped, result.shape.rank < 1 || result.shape[0] != steps { return false }
            tensors[id] = result
        }
        return true
    }

    /// Evaluates a node of the prologue for which each sequence has rows of its own.
    private mutating func compute(
        _ node: PlanGraph.Node,
        _ arguments: [Tensor?],
        rowsOf packing: ScanRows
    ) -> Bool {
        guard !(node.computation is GatherOperator) else { return false }
        var arguments = arguments
        for (position, id) in node.inputs.enumerated() {
            guard let id, let argument = arguments[position] else { continue }
            if hasRows[id] {
                guard argument.shape.rank == 2 else { return false }
            } else if schedule.roles[id] == .stepped {
                guard let rows = packing.repeating(argument) else { return false }
                arguments[position] = rows
            } else if !(node.computation is MatMul), argument.shape.rank > 1,
                argument.shape[0] != 1 || argument.shape.rank > 2
            {
                return false
            }
        }
        guard
            let outputs = try? NodeInputs.evaluate(
                node.computation,
                arguments,
                outputCount: node.outputs.count,
                budget: inputs.budget
            ),
            case .one(let result) = outputs, let output = node.outputs.first ?? nil,
            result.shape.rank == 2, result.shape[0] == packing.rowCount
        else { return false }
        tensors[output] = result
        hasRows[output] = true
        return true
    }

    // MARK: The loop

    private func place(_ tensor: Tensor, dimensions: [Int], step: Int) -> Place? {
        // More axes than two must be of length 1.
        guard tensor.elementType == .float32, tensor.count > 0,
            dimensions.dropLast(2).allSatisfy({ $0 == 1 })
        else { return nil }
        // A tensor's memory stays in place as long as it is kept unchanged.
        let start = tensor.withPointer(to: Float.self) { $0 }
        return Place(
            dimensions: dimensions,
            start: step < 0 ? start - step * (steps - 1) : start,
            row: dimensions.last ?? 1,
            step: step
        )
    }

    private mutating func place(of id: PlanGraph.ValueID?) -> Place? {
        guard let id else { return nil }
        if let place = places[id] { return place }
        guard let tensor = tensors[id] else { return nil }
        let isStepped = schedule.roles[id] == .stepped
        if let packing {
            if hasRows[id] {
                guard tensor.shape.rank == 2,
                    var place = place(
                        tensor,
                        dimensions: [packing.count, tensor.shape[1]],
                        step: tensor.shape[1]
                    )
                else { return nil }
                place.isPacked = true
                places[id] = place
                return place
            }
            // What all sequences share must not look like rows of theirs.
            let rank = tensor.shape.rank - (isStepped ? 1 : 0)
            guard rank < 2 || tensor.shape[tensor.shape.rank - 2] == 1 else { return nil }
        }
        let dimensions = Array(tensor.shape.dimensions.dropFirst(isStepped ? 1 : 0))
        let size = isStepped ? tensor.count / max(steps, 1) : 0
        let place = place(tensor, dimensions: dimensions, step: isReversed ? -size : size)
        places[id] = place
        return place
    }

    /// Memory for the result of a node, which is given out again when nobody reads it any more.
    private mutating func makeResult(_ id: PlanGraph.ValueID, _ dimensions: [Int]) -> StepProgram.Result? {
        guard let shape = try? Shape(checking: dimensions), shape.elementCount > 0,
            shape.elementCount <= inputs.limits.tensorBytes / MemoryLayout<Float>.size,
            dimensions.dropLast(2).allSatisfy({ $0 == 1 })
        else { return nil }
        let start = memory.take(shape.elementCount, for: id)
        if let packing { guard dimensions.count == 2, dimensions[0] == packing.count else { return nil } }
        let place = Place(
            dimensions: dimensions,
            start: start,
            row: dimensions.last ?? 1,
            step: 0,
            isPacked: packing != nil
        )
        places[id] = place
        return StepProgram.Result(start: start, rows: place.rows, columns: place.columns, row: place.row)
    }

    /// Adds the operations of a node; false if it has none for these shapes.
    private mutating func add(_ index: Int) -> Bool {
        let node = schedule.graph.nodes[index]
        guard let a = place(of: node.inputs.first ?? nil) else { return false }
        if let split = node.computation as? Split { return addParts(split, node, a) }
        guard node.outputs.count == 1, let output = node.outputs[0] else { return false }
        switch node.computation {
        case is Identity:
            places[output] = a
            return true
        case let unary as Unary:
            guard let c = makeResult(output, a.dimensions) else { return false }
            program.apply(unary.function, a.operand, to: c)
            return true
        case let arithmetic as Arithmetic: return addBinary(arithmetic.operation, node, a, output)
        case let variadic as Variadic: return addBinary(variadic.operation, node, a, output)
        case let affine as ScaleShift:
            guard let scale = constant(affine.scale), let shift = constant(affine.shift),
                let dimensions = Self.broadcast(a.dimensions, scale.dimensions, shift.dimensions),
                dimensions == a.dimensions, let c = makeResult(output, dimensions)
            else { return false }
            program.affine(
                a.operand,
                scale: scale.broadcast(columns: a.columns),
                shift: shift.broadcast(columns: a.columns),
                to: c
            )
            return true
        case let product as MatMul:
            guard let prepared = product.prepared else { return false }
            return addProduct(prepared, alpha: 1, a, output)
        case let product as Gemm:
            guard let prepared = product.prepared, a.dimensions.count == 2 else { return false }
            return addProduct(prepared, alpha: product.alpha, a, output)
        case let concat as Concat: return addConcat(concat, node, output)
        default: return false
        }
    }

    private func constant(_ tensor: Tensor) -> Place? {
        place(tensor, dimensions: tensor.shape.dimensions, step: 0)
    }

    private static func broadcast(_ shapes: [Int]...) -> [Int]? {
        var result = Shape()
        for dimensions in shapes {
            guard let shape = try? Shape(checking: dimensions), let next = try? result.broadcast(with: shape)
            else { return nil }
            result = next
        }
        return result.dimensions
    }

    private mutating func addBinary(
        _ operation: BinaryOperation,
        _ node: PlanGraph.Node,
        _ a: Place,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        guard node.inputs.count == 2, let b = place(of: node.inputs[1]),
            let dimensions = Self.broadcast(a.dimensions, b.dimensions),
            let c = makeResult(output, dimensions)
        else { return false }
        program.apply(
            operation,
            a.broadcast(columns: c.columns),
            b.broadcast(columns: c.columns),
            to: c
        )
        return true
    }

    private mutating func addProduct(
        _ prepared: MatMul.Prepared,
        alpha: Float,
        _ a: Place,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        guard let last = a.dimensions.last, last == prepared.matrix.rows,
            let c = makeResult(output, a.dimensions.dropLast() + [prepared.matrix.columns])
        else { return false }
        program.multiply(
            a.operand,
            prepared.matrix,
            alpha: alpha,
            // The schedule keeps the operator, and it its bias.
            bias: prepared.bias.map { $0.withPointer(to: Float.self) { $0 } },
            activation: prepared.activation,
            to: c
        )
        return true
    }

    /// Parts of the columns, as views; parts of another axis are left to the plain loop.
    private mutating func addParts(_ split: Split, _ node: PlanGraph.Node, _ a: Place) -> Bool {
        let rank = a.dimensions.count
        guard rank > 0, split.axis == rank - 1 || split.axis == -1 else { return false }
        var sizes = split.sizes
        if sizes == nil, node.inputs.count > 1, let id = node.inputs[1] {
            sizes = try? tensors[id]?.integers(input: 1)
            if sizes == nil { return false }
        }
        let parts = sizes ?? split.equalSizes(a.columns)
        guard parts.allSatisfy({ $0 > 0 }), parts.reduce(0, +) == a.columns, parts.count >= node.outputs.count
        else { return false }
        var start = a.start
        for (id, size) in zip(node.outputs, parts) {
            if let id {
                places[id] = Place(
                    dimensions: a.dimensions.dropLast() + [size],
                    start: start,
                    row: a.row,
                    step: a.step,
                    isPacked: a.isPacked
                )
            }
            start += size
        }
        return true
    }

    private mutating func addConcat(
        _ concat: Concat,
        _ node: PlanGraph.Node,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        var parts: [Place] = []
        for id in node.inputs {
            guard let part = place(of: id) else { return false }
            parts.append(part)
        }
        let rank = parts[0].dimensions.count
        let lead = parts[0].dimensions.dropLast()
        guard rank > 0, concat.axis == rank - 1 || concat.axis == -1,
            parts.allSatisfy({ $0.dimensions.count == rank && $0.dimensions.dropLast() == lead }),
            let c = makeResult(output, lead + [parts.reduce(0) { $0 + $1.columns }])
        else { return false }
        var target = c
        for part in parts {
            target.columns = part.columns
            program.copy(part.operand, to: target)
            target.start += part.columns
        }
        return true
    }

    // MARK: What a step leaves

    /// Whether all scan outputs together are within their limit; the loop as it is written names the one that is not.
    private func isWithinLimit(_ outputs: ArraySlice<Tensor>) -> Bool {
        outputs.reduce(0) { $0 + $1.byteCount } <= inputs.limits.scanOutputBytes
    }

    /// Adds the copy of a scan output, `[steps, ...]`.
    private mutating func addOutput(_ position: Int, isReversed: Bool) -> Tensor? {
        guard let place = place(of: schedule.graph.outputs[position]),
            let shape = try? Shape(
                checking: packing.map { [$0.rowCount, place.columns] } ?? [steps] + place.dimensions
            ),
            packing == nil || place.isPacked,
            var tensor = try? inputs.makeTensor(.float32, shape)
        else { return nil }
        let size = packing == nil ? place.rows * place.columns : place.columns
        tensor.withMutablePointer(to: Float.self) { start in
            program.copy(
                place.operand,
                to: StepProgram.Result(
                    start: isReversed ? start + (steps - 1) * size : start,
                    rows: place.rows,
                    columns: place.columns,
                    row: place.columns,
                    step: isReversed ? -size : size,
                    isPacked: packing != nil
                )
            )
        }
        return tensor
    }

    /// Adds the copy of a new state over the old one.
    private mutating func addState(_ position: Int, into state: Tensor) -> Bool {
        let (new, old) = (schedule.graph.outputs[position], schedule.graph.inputs[position])
        if new == old { return true }
        // A state that becomes another one would have to be read before it is written.
        guard let place = place(of: new), place.dimensions == state.shape.dimensions,
            let target = places[old],
            !schedule.graph.inputs.prefix(schedule.stateCount).contains(where: { id in
                places[id].map { (0..<$0.rows * $0.columns).contains(place.start - $0.start) } ?? false
            })
        else { return false }
        program.copy(
            place.operand,
            to: StepProgram.Result(
                start: UnsafeMutablePointer(mutating: target.start),
                rows: place.rows,
                columns: place.columns,
                row: place.columns
            )
        )
        return true
    }
}

/// Buffers for the results of one step's operations; one that nobody reads any more is given out again.
private final class ScanMemory {
    private struct Buffer {
        let start: UnsafeMutablePointer<Float>
        let capacity: Int
        var owner: PlanGraph.ValueID?
    }

    private var buffers: [Buffer] = []

    func take(_ count: Int, for owner: PlanGraph.ValueID) -> UnsafeMutablePointer<Float> {
        if let free = buffers.firstIndex(where: { $0.owner == nil && $0.capacity == count }) {
            buffers[free].owner = owner
            return buffers[free].start
        }
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Float>.size,
            alignment: 64
        )
        let start = bytes.bindMemory(to: Float.self, capacity: count)
        buffers.append(Buffer(start: start, capacity: count, owner: owner))
        return start
    }

    func release(_ isDead: (PlanGraph.ValueID) -> Bool) {
        for index in buffers.indices {
            if let owner = buffers[index].owner, isDead(owner) { buffers[index].owner = nil }
        }
    }

    deinit { for buffer in buffers { buffer.start.deallocate() } }
}
