import TensorCore

extension Subgraph {
    /// Runs the body of a scan once for each position of the scan inputs' first axes, handing the states on.
    ///
    /// - Parameters:
    ///   - rows: The scan inputs; the first axis of each is at least `length` long.
    ///   - backward: Per scan input, whether it is read from position `length - 1` down.
    ///   - collectingBackward: Per scan output, whether it is written from position `length - 1` down.
    ///   - stateCount: The number of states; they must stand in the frame.
    ///   - length: The number of runs, at least 1.
    ///   - frame: The body's frame; afterwards it holds the final states.
    ///   - inputs: The inputs of the node.
    /// - Returns: The scan outputs, the axis of the runs first.
    /// - Throws: What the body throws, or a rule that its outputs break.
    func iterate(
        over rows: [Tensor],
        backward: [Bool],
        collectingBackward: [Bool],
        states stateCount: Int,
        length: Int,
        _ frame: borrowing Frame,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [Tensor] {
        var collected: [Tensor] = []
        var kept = ScanOutputBudget(inputs)
        for step in 0..<length {
            try inputs.budget.pointee.takeTrip()
            for index in rows.indices {
                let position = backward[index] ? length - 1 - step : step
                frame.set(program.inputs[stateCount + index], to: rows[index].element(at: position))
            }
            try run(frame)
            for index in collectingBackward.indices {
                let part = try output(stateCount + index, from: frame)
                if step == 0 {
                    let shape = try shaped { () throws(ShapeError) in try part.shape.inserting(length, at: 0)
                    }
                    try kept.take(shape.elementCount * part.elementType.byteCount)
                    collected.append(try inputs.makeTensor(part.elementType, shape))
                }
                let position = collectingBackward[index] ? length - 1 - step : step
                try collected[index].write(part, toElement: position)
            }
            if step + 1 < length { try handOn(stateCount, frame) }
        }
        return collected
    }

    /// Makes the states after a step those before the next.
    private func handOn(_ stateCount: Int, _ frame: borrowing Frame) throws(OperatorError) {
        // Read all before the first is written: a body may hand one state on as another.
        if stateCount == 1 { return frame.set(program.inputs[0], to: try take(0, from: frame)) }
        var states: [Tensor] = []
        states.reserveCapacity(stateCount)
        for index in 0..<stateCount { states.append(try take(index, from: frame)) }
        for index in 0..<stateCount { frame.set(program.inputs[index], to: states[index]) }
    }
}

extension Tensor {
    /// Copies a tensor of one rank less to a position of the first axis, which must be within it.
    mutating func write(_ part: Tensor, toElement position: Int) throws(OperatorError) {
        guard part.elementType == elementType else {
            throw .elementTypesDiffer(elementType, part.elementType)
        }
        guard part.shape == shape.removing(axis: 0) else {
            throw .shape(.notBroadcastable(shape.removing(axis: 0).dimensions, part.shape.dimensions))
        }
        let bytes = part.byteCount
        withMutableRawPointer { target in
            part.withRawPointer { (target + position * bytes).copyMemory(from: $0, byteCount: bytes) }
        }
    }
}
