import TensorCore

/// Scan (opset 9 on): a subgraph run once for every element of the scan inputs' axes, with states handed on.
///
/// Inputs: states, then scan inputs; outputs: final states, then scan outputs. Each scan input has its own axis and
/// direction, each scan output as well. All scan inputs must have one length; 0 is allowed.
struct Scan: Operator, TakingAllTypes {
    /// How a scan input is read, or a scan output written.
    struct Stream: Sendable {
        let axis: Int
        let isReversed: Bool
    }

    let body: Subgraph
    let stateCount: Int
    let scanInputs: [Stream]
    let scanOutputs: [Stream]
    /// How the body runs in place; nil if it cannot.
    let schedule: ScanSchedule?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        guard let count = try reader.int("num_scan_inputs") else {
            throw .missingAttribute("num_scan_inputs")
        }
        guard count >= 1, count <= reader.inputCount else { throw .attributeValue("num_scan_inputs") }
        stateCount = reader.inputCount - count
        body = try reader.subgraph("body")
        guard body.inputCount == reader.inputCount else {
            throw .subgraphSignature(attribute: "body", expected: reader.inputCount, actual: body.inputCount)
        }
        guard body.outputCount >= stateCount else {
            throw .subgraphSignature(attribute: "body", expected: stateCount, actual: body.outputCount)
        }
        scanInputs = try Self.streams("scan_input", count: count, &reader)
        scanOutputs = try Self.streams("scan_output", count: body.outputCount - stateCount, &reader)
        schedule = nil
    }

    init(_ other: Scan, schedule: ScanSchedule) {
        body = other.body
        stateCount = other.stateCount
        scanInputs = other.scanInputs
        scanOutputs = other.scanOutputs
        self.schedule = schedule
    }

    /// How the body could run in place, or why it cannot.
    func makeSchedule() throws(NoMatch) -> ScanSchedule {
        guard scanInputs.allSatisfy({ $0.isReversed == scanInputs[0].isReversed }) else {
            throw .unsupportedShape
        }
        return try ScanSchedule(body.graph, stateCount: stateCount)
    }

    private static func streams(
        _ prefix: String,
        count: Int,
        _ reader: inout AttributeReader
    ) throws(OperatorError) -> [Stream] {
        let axes = try reader.ints(prefix + "_axes") ?? [Int](repeating: 0, count: count)
        let directions = try reader.ints(prefix + "_directions") ?? [Int](repeating: 0, count: count)
        guard axes.count == count else { throw .attributeValue(prefix + "_axes") }
        guard directions.count == count, directions.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw .attributeValue(prefix + "_directions")
        }
        return zip(axes, directions).map { Stream(axis: $0, isReversed: $1 == 1) }
    }

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let program = body.program
        var rows: [Tensor] = []
        for (index, stream) in scanInputs.enumerated() {
            let x = try inputs.take(stateCount + index)
            let axis = try x.shape.axis(stream.axis)
            let order = [axis] + (0..<x.shape.rank).filter { $0 != axis }
            rows.append(axis == 0 ? x : try TransposeOperator.permute(x, order, inputs))
        }
        let length = rows[0].shape[0]
        guard rows.allSatisfy({ $0.shape[0] == length }) else {
            throw .scanLengthsDiffer(rows.map { $0.shape[0] })
        }
        if length > 0, let outputs = try inPlace(rows, inputs) { return outputs }
        let frame = try body.makeFrame(inputs)
        guard length > 0 else { return try emptyResult(rows, frame, inputs) }
        for index in 0..<stateCount { frame.set(program.inputs[index], to: try inputs.take(index)) }
        let collected = try body.iterate(
            over: rows,
            backward: scanInputs.map(\.isReversed),
            collectingBackward: scanOutputs.map(\.isReversed),
            states: stateCount,
            length: length,
            frame,
            inputs
        )
        var outputs: [Tensor] = []
        for index in 0..<stateCount { outputs.append(try body.output(index, from: frame)) }
        return .many(outputs + (try finish(collected, inputs)))
    }

    /// The outputs by the schedule; nil if there is none, or not for these types and shapes.
    private func inPlace(_ rows: [Tensor], _ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs? {
        guard let schedule else { return nil }
        var states: [Tensor] = []
        for index in 0..<stateCount { states.append(try inputs[index]) }
        var captures: [Tensor] = []
        for index in 0..<body.captureCount {
            guard let tensor = inputs.optional(body.captureStart + index) else { return nil }
            captures.append(tensor)
        }
        var run = ScanRun(
            schedule,
            rows: rows,
            captures: captures,
            isReversed: scanInputs[0].isReversed,
            inputs
        )
        let budget = inputs.budget.pointee
        for _ in 0..<rows[0].shape[0] { try inputs.budget.pointee.takeTrip() }
        guard let outputs = run.evaluate(states, outputsReversed: scanOutputs.map(\.isReversed)) else {
            // The loop as it is written counts its own trips.
            inputs.budget.pointee = budget
            return nil
        }
        return .many(outputs.prefix(stateCount) + (try finish(Array(outputs.dropFirst(stateCount)), inputs)))
    }

    /// The states as they came and scan outputs of length 0, whose shapes a run on zeros tells.
    private func emptyResult(
        _ rows: [Tensor],
        _ frame: borrowing Frame,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        var outputs: [Tensor] = []
        for index in 0..<stateCount { outputs.append(try inputs[index]) }
        guard !scanOutputs.isEmpty else { return .many(outputs) }
        for index in 0..<stateCount { frame.set(body.program.inputs[index], to: outputs[index]) }
        for (index, row) in rows.enumerated() {
            var zeros = try inputs.makeTensor(row.elementType, row.shape.removing(axis: 0))
            let count = zeros.byteCount
            zeros.withMutableRawPointer {
                _ = $0.initializeMemory(as: UInt8.self, repeating: 0, count: count)
            }
            frame.set(body.program.inputs[stateCount + index], to: zeros)
        }
        try body.run(frame)
        var collected: [Tensor] = []
        for index in scanOutputs.indices {
            let part = try body.output(stateCount + index, from: frame)
            let shape = try shaped { () throws(ShapeError) in try part.shape.inserting(0, at: 0) }
            collected.append(try inputs.makeTensor(part.elementType, shape))
        }
        return .many(outputs + (try finish(collected, inputs)))
    }

    /// Moves the axis of the steps, which is the first so far, to where each scan output wants it.
    private func finish(_ collected: [Tensor], _ inputs: NodeInputs) throws(OperatorError) -> [Tensor] {
        var outputs: [Tensor] = []
        for (stream, tensor) in zip(scanOutputs, collected) {
            let axis = try tensor.shape.axis(stream.axis)
            guard axis != 0 else {
                outputs.append(tensor)
                continue
            }
            var order = Array(1..<tensor.shape.rank)
            order.insert(0, at: axis)
            outputs.append(try TransposeOperator.permute(tensor, order, inputs))
        }
        return outputs
    }
}
