import TensorCore

/// Scan of opset 8: axis 0 of every input is the batch, axis 1 of the scan inputs the steps, and each sequence of
/// the batch is scanned by itself, over its own length if lengths are given.
///
/// A scan input with direction 1 is read from the sequence's own end. Behind it, scan outputs are zero. A sequence
/// of length 0 keeps its initial states.
struct BatchedScan: Operator, TakingAllTypes {
    private let body: Subgraph
    private let stateCount: Int
    private let backward: [Bool]
    private let scanOutputCount: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        guard let count = try reader.int("num_scan_inputs") else {
            throw .missingAttribute("num_scan_inputs")
        }
        guard count >= 1, count < reader.inputCount else { throw .attributeValue("num_scan_inputs") }
        stateCount = reader.inputCount - 1 - count
        body = try reader.subgraph("body")
        guard body.inputCount == stateCount + count else {
            throw .subgraphSignature(attribute: "body", expected: stateCount + count, actual: body.inputCount)
        }
        guard body.outputCount >= stateCount else {
            throw .subgraphSignature(attribute: "body", expected: stateCount, actual: body.outputCount)
        }
        scanOutputCount = body.outputCount - stateCount
        let directions = try reader.ints("directions") ?? [Int](repeating: 0, count: count)
        guard directions.count == count, directions.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw .attributeValue("directions")
        }
        backward = directions.map { $0 == 1 }
    }

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var arguments: [Tensor] = []
        for index in 0..<(stateCount + backward.count) {
            let tensor = try inputs[1 + index]
            let least = index < stateCount ? 1 : 2
            guard tensor.shape.rank >= least else {
                throw .unsupportedRank(tensor.shape.rank, input: 1 + index)
            }
            arguments.append(tensor)
        }
        let rows = Array(arguments[stateCount...])
        let (batch, longest) = (rows[0].shape[0], rows[0].shape[1])
        guard rows.allSatisfy({ $0.shape[1] == longest }) else {
            throw .scanLengthsDiffer(rows.map { $0.shape[1] })
        }
        for (index, argument) in arguments.enumerated() where argument.shape[0] != batch {
            throw .shape(.dimensionMismatch(axis: 0, expected: batch, actual: arguments[index].shape[0]))
        }
        let lengths = try inputs.integers(0) ?? [Int](repeating: longest, count: batch)
        guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= longest }) else {
            throw .inputValue(input: 0)
        }
        return try scan(arguments, rows, lengths: lengths, longest: longest, inputs)
    }

    private func scan(
        _ arguments: [Tensor],
        _ rows: [Tensor],
        lengths: [Int],
        longest: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        let frame = try body.makeFrame(inputs)
        var outputs: [Tensor] = []
        for (sequence, length) in lengths.enumerated() {
            for index in 0..<stateCount {
                frame.set(body.program.inputs[index], to: arguments[index].element(at: sequence))
            }
            let own = rows.map { $0.element(at: sequence) }
            let results =
                try length > 0
                ? run(own, length, frame, inputs) : tellShapes(own, arguments, sequence, frame, inputs)
            if sequence == 0 {
                for (index, result) in results.enumerated() {
                    let shape = index < stateCount ? result.shape : try result.shape.withLength(longest)
                    outputs.append(
                        try .zeros(
                            result.elementType,
                            shaped { () throws(ShapeError) in try shape.inserting(lengths.count, at: 0) },
                            inputs
                        )
                    )
                }
            }
            for (index, result) in results.enumerated() {
                let isState = index < stateCount
                try outputs[index].write(result, to: sequence, paddingFirstAxis: !isState)
            }
        }
        guard lengths.isEmpty else { return .many(outputs) }
        // Without a sequence nothing tells the shapes of scan outputs.
        guard scanOutputCount == 0 else { throw .inputValue(input: 1 + stateCount) }
        return .many(Array(arguments[..<stateCount]))
    }

    /// The final states and the scan outputs of one sequence.
    private func run(
        _ rows: [Tensor],
        _ length: Int,
        _ frame: borrowing Frame,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [Tensor] {
        let collected = try body.iterate(
            over: rows,
            backward: backward,
            collectingBackward: [Bool](repeating: false, count: scanOutputCount),
            states: stateCount,
            length: length,
            frame,
            inputs
        )
        var states: [Tensor] = []
        for index in 0..<stateCount { states.append(try body.output(index, from: frame)) }
        return states + collected
    }

    /// The initial states, and scan outputs of length 0 whose shapes a run on zeros tells.
    private func tellShapes(
        _ rows: [Tensor],
        _ arguments: [Tensor],
        _ sequence: Int,
        _ frame: borrowing Frame,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [Tensor] {
        var zeros: [Tensor] = []
        for row in rows {
            zeros.append(try .zeros(row.elementType, row.shape.withLength(1), inputs))
        }
        let results = try run(zeros, 1, frame, inputs)
        return (0..<stateCount).map { arguments[$0].element(at: sequence) }
            + results[stateCount...].map { $0.slice(0..<0) }
    }
}

extension Shape {
    /// The shape with another length of its first axis.
    fileprivate func withLength(_ length: Int) throws(OperatorError) -> Shape {
        try shaped { () throws(ShapeError) in try replacing(axis: 0, by: length) }
    }
}

extension Tensor {
    /// A tensor whose bytes are all zero.
    static func zeros(
        _ elementType: ElementType,
        _ shape: Shape,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        var tensor = try inputs.makeTensor(elementType, shape)
        let count = tensor.byteCount
        tensor.withMutableRawPointer { _ = $0.initializeMemory(as: UInt8.self, repeating: 0, count: count) }
        return tensor
    }

    /// Copies a result to a position of the first axis, whose elements may be longer than the result.
    fileprivate mutating func write(
        _ part: Tensor,
        to position: Int,
        paddingFirstAxis: Bool
    ) throws(OperatorError) {
        let whole = shape.removing(axis: 0)
        guard paddingFirstAxis, part.shape.rank == whole.rank, part.shape[0] < whole[0] else {
            return try write(part, toElement: position)
        }
        guard part.elementType == elementType else {
            throw .elementTypesDiffer(elementType, part.elementType)
        }
        guard part.shape.removing(axis: 0) == whole.removing(axis: 0) else {
            throw .shape(.notBroadcastable(whole.dimensions, part.shape.dimensions))
        }
        let offset = position * whole.elementCount * elementType.byteCount
        withMutableRawPointer { target in
            part.withRawPointer { (target + offset).copyMemory(from: $0, byteCount: part.byteCount) }
        }
    }
}
