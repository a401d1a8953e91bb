import TensorCore

/// SequenceMap: a subgraph run for each tensor of a sequence; its outputs are sequences again.
///
/// Further inputs are sequences of the same length, of which each run sees one tensor, or tensors, which every run
/// sees whole.
struct SequenceMap: Operator, TakingAllTypes {
    private let body: Subgraph
    private let inputCount: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...Int(Int32.max))
        inputCount = reader.inputCount
        body = try reader.subgraph("body")
        guard body.inputCount == inputCount else {
            throw .subgraphSignature(attribute: "body", expected: inputCount, actual: body.inputCount)
        }
        guard body.outputCount >= reader.outputCount else {
            throw .subgraphSignature(
                attribute: "body",
                expected: reader.outputCount,
                actual: body.outputCount
            )
        }
    }

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        guard case .sequence(let first)? = inputs.value(0) else {
            throw .inputKind(
                input: 0,
                expected: "a sequence",
                actual: inputs.value(0)?.kind ?? "absent"
            )
        }
        let count = first.count
        var arguments: [Value] = []
        for index in 0..<inputCount {
            guard let value = inputs.value(index) else { throw .missingInput(index) }
            if case .sequence(let tensors) = value, tensors.count != count {
                throw .inputValue(input: index)
            }
            arguments.append(value)
        }
        let frame = try body.makeFrame(inputs)
        var outputs = [[Tensor]](repeating: [], count: body.outputCount)
        var kept = ScanOutputBudget(inputs)
        for step in 0..<count {
            for (operand, argument) in zip(body.program.inputs, arguments) {
                if case .sequence(let tensors) = argument {
                    frame.set(operand, to: tensors[step])
                } else {
                    frame.set(operand, to: argument)
                }
            }
            try inputs.budget.pointee.takeTrip()
            try body.run(frame)
            for index in outputs.indices {
                let part = try body.output(index, from: frame)
                try kept.take(part.byteCount)
                outputs[index].append(part)
            }
        }
        return .values(outputs.map { .sequence($0) })
    }
}
