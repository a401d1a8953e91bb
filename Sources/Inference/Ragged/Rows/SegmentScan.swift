import TensorCore

/// A Scan over the positions of every sequence: a step has the rows of those that have not ended.
///
/// Inputs: the offsets of the sequences, the first states (`[B, columns]`, or one row for all), the rows of scan inputs,
/// and the captured values. Outputs: the last states `[B, columns]`, then scan outputs `[R, columns]`.
struct SegmentScan: Operator, SteppingOperator {
    /// Where a scan input comes from.
    enum Source: Sendable {
        /// The rows of the next input.
        case rows
        /// The number of the step, of rank `extents.count`.
        case positions(extents: [Int])
        /// The same element everywhere.
        case uniform(Tensor, extents: [Int])
    }

    /// From so many rows a step on, weights that are read for each step are cheaper than products that leave the cache.
    static let manyRows = 4

    let schedule: ScanSchedule
    /// What runs before the loop and in it.
    let parts: ScanParts
    /// The same where a step has many rows.
    let partsOfManyRows: ScanParts
    let sources: [Source]
    /// The columns of each state.
    let stateColumns: [Int]
    let isReversed: Bool
    /// For each scan output, whether the first step writes a sequence's last position.
    let outputsReversed: [Bool]

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let segments = try Segments(inputs[0])
        let packing = ScanRows(offsets: segments.offsets, isReversed: isReversed)
        var next = 1
        var states: [Tensor] = []
        for columns in stateColumns {
            states.append(try state(inputs[next], columns, packing))
            next += 1
        }
        var streams: [ScanRows.Input] = []
        for source in sources {
            switch source {
            case .rows:
                guard let rows = packing.ordered(try inputs[next]) else { throw .inputValue(input: next) }
                streams.append(.rows(rows))
                next += 1
            case .positions(let extents):
                let shape = try Shape.checked([packing.alive.count] + extents)
                streams.append(
                    .steps(
                        Tensor(of: Int64.self, shape: shape) { elements in
                            for index in elements.indices { elements[index] = Int64(index) }
                        }
                    )
                )
            case .uniform(let scalar, let extents):
                let shape = try Shape.checked([packing.alive.count] + extents)
                var steps = try inputs.makeTensor(scalar.elementType, shape)
                let bytes = scalar.elementType.byteCount
                scalar.withRawPointer { scalar in
                    steps.withMutableRawPointer { steps in
                        for index in 0..<shape.elementCount {
                            (steps + index * bytes).copyMemory(from: scalar, byteCount: bytes)
                        }
                    }
                }
                streams.append(.steps(steps))
            }
        }
        var captures: [Tensor] = []
        while next < inputs.count {
            captures.append(try inputs[next])
            next += 1
        }
        for _ in packing.alive { try inputs.budget.pointee.takeTrip() }
        var run = ScanRun(
            schedule,
            parts: packing.rowCount < Self.manyRows * packing.alive.count ? parts : partsOfManyRows,
            scanInputs: streams,
            captures: captures,
            packing: packing,
            inputs
        )
        let none = [Bool](repeating: false, count: outputsReversed.count)
        guard let results = run.evaluate(states, outputsReversed: none) else { throw .inputValue(input: 0) }
        return .many(try finished(results, packing, segments))
    }

    /// The first state of each sequence, the longest sequence first.
    private func state(_ given: Tensor, _ columns: Int, _ packing: ScanRows) throws(OperatorError) -> Tensor {
        let rows = columns > 0 ? given.count / columns : 0
        guard given.count == rows * columns, rows == 1 || rows == packing.count else {
            throw .shape(.elementCountMismatch(expected: packing.count * columns, actual: given.count))
        }
        let view = try given.viewed(as: Shape.checked([rows, columns]))
        if rows == packing.count {
            guard let sorted = packing.sorted(view) else { throw .inputValue(input: 1) }
            return sorted
        }
        var copies = Tensor(
            uninitialized: view.elementType,
            shape: try Shape.checked([packing.count, columns])
        )
        let bytes = view.byteCount
        view.withRawPointer { source in
            copies.withMutableRawPointer { target in
                for row in 0..<packing.count {
                    (target + row * bytes).copyMemory(from: source, byteCount: bytes)
                }
            }
        }
        return copies
    }

    /// Results in the order of the sequences.
    private func finished(
        _ results: [Tensor],
        _ packing: ScanRows,
        _ segments: Segments
    ) throws(OperatorError) -> [Tensor] {
        var outputs: [Tensor] = []
        for (index, result) in results.enumerated() {
            let moved: Tensor?
            if index < stateColumns.count {
                moved = packing.unsorted(result)
            } else if outputsReversed[index - stateColumns.count] == isReversed {
                moved = packing.sequential(result)
            } else {
                moved = ScanRows(offsets: segments.offsets, isReversed: !isReversed).sequential(result)
            }
            guard let moved else { throw .inputValue(input: 0) }
            outputs.append(moved)
        }
        return outputs
    }
}
