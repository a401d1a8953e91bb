import Kernels
import TensorCore

/// Where the values of the loop are in memory.
extension ScanRun {
    func place(_ tensor: Tensor, dimensions: [Int], step: Int) -> ScanPlace? {
        // More axes than two must be of length 1.
        guard tensor.elementType == .float32, tensor.count > 0,
            dimensions.dropLast(2).allSatisfy({ $0 == 1 })
        else { return nil }
        // A tensor's memory stays in place as long as it is kept unchanged.
        let start = tensor.withPointer(to: Float.self) { $0 }
        return ScanPlace(
            dimensions: dimensions,
            start: step < 0 ? start - step * (steps - 1) : start,
            row: dimensions.last ?? 1,
            step: step
        )
    }

    mutating func place(of id: PlanGraph.ValueID?) -> ScanPlace? {
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

    /// Where a node that works element by element can write a new state: over the old one, if nobody reads that later.
    private func stateInPlace(_ id: PlanGraph.ValueID, _ dimensions: [Int], _ index: Int) -> ScanPlace? {
        let (inputs, outputs) = (schedule.graph.inputs, schedule.graph.outputs.prefix(schedule.stateCount))
        guard let position = outputs.firstIndex(of: id), outputs.lastIndex(of: id) == position,
            schedule.lastUse[inputs[position]] <= index,
            let old = places[inputs[position]], old.dimensions == dimensions
        else { return nil }
        // What is read of the old state must be the very element that is written.
        let memory = old.start..<old.start + old.rows * old.columns
        for case .some(let input) in schedule.graph.nodes[index].inputs {
            guard let place = places[input], memory.contains(place.start) else { continue }
            guard place.start == old.start, place.dimensions == dimensions, place.row == old.row else {
                return nil
            }
        }
        return old
    }

    /// Memory for the result of a node, which is given out again when nobody reads it any more.
    ///
    /// - Parameters:
    ///   - id: The result.
    ///   - dimensions: Its shape.
    ///   - index: The node, if it computes each element of the result from those in the same place.
    /// - Returns: Nil if the result has no place in a step.
    mutating func makeResult(
        _ id: PlanGraph.ValueID,
        _ dimensions: [Int],
        of index: Int? = nil
    ) -> StepProgram.Result? {
        guard let shape = try? Shape(checking: dimensions), shape.elementCount > 0,
            shape.elementCount <= inputs.limits.tensorBytes / MemoryLayout<Float>.size,
            dimensions.dropLast(2).allSatisfy({ $0 == 1 })
        else { return nil }
        if let packing { guard dimensions.count == 2, dimensions[0] == packing.count else { return nil } }
        let state = index.flatMap { stateInPlace(id, dimensions, $0) }
        let start =
            state.map { UnsafeMutablePointer(mutating: $0.start) } ?? memory.take(shape.elementCount, for: id)
        let place = ScanPlace(
            dimensions: dimensions,
            start: start,
            row: dimensions.last ?? 1,
            step: 0,
            isPacked: packing != nil
        )
        places[id] = place
        return StepProgram.Result(start: start, rows: place.rows, columns: place.columns, row: place.row)
    }

    /// Whether all scan outputs together are within their limit; the loop as it is written names the one that is not.
    func isWithinLimit(_ outputs: ArraySlice<Tensor>) -> Bool {
        outputs.reduce(0) { $0 + $1.byteCount } <= inputs.limits.scanOutputBytes
    }

    /// Adds the copy of a scan output, `[steps, ...]`.
    mutating func addOutput(_ position: Int, isReversed: Bool) -> Tensor? {
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
    mutating func addState(_ position: Int, into state: Tensor) -> Bool {
        let (new, old) = (schedule.graph.outputs[position], schedule.graph.inputs[position])
        if new == old { return true }
        // A state that becomes another one would have to be read before it is written.
        guard let place = place(of: new), place.dimensions == state.shape.dimensions,
            let target = places[old]
        else { return false }
        if place.start == target.start { return true }
        guard
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
