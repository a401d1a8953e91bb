import TensorCore

/// Nodes with no packed rule inside of a packed graph: run sequence by sequence, the results packed again.
///
/// Inputs: the packed values the part reads, then for each of them with a time axis its offsets, and last the offsets of
/// the sequences themselves.
struct SequenceIsland: Operator {
    let part: SequencePart
    /// For each packed value, which input has its offsets; nil for one row a sequence.
    let offsetInputs: [Int?]
    let outputs: [ValueFacts]

    var isFoldable: Bool { false }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var values: [Tensor] = []
        var starts: [Segments?] = []
        for index in offsetInputs.indices {
            let value = try inputs[index]
            values.append(value)
            guard let input = offsetInputs[index] else {
                starts.append(nil)
                continue
            }
            starts.append(try Segments(inputs[input], rows: value.shape[0]))
        }
        let sequences = try Segments(inputs[inputs.count - 1])
        var results = [RowCollector](repeating: RowCollector(), count: outputs.count)
        let frame = Frame(for: part.program, inputs.budget)
        for index in 0..<sequences.count {
            // Each sequence may take what it could alone.
            inputs.budget.pointee = RunBudget(inputs.limits)
            let length = sequences[index].count
            try part.fill(
                frame,
                sequence: index,
                length: length,
                values: values,
                starts: starts,
                inputs.limits
            )
            do throws(ExecutionError) { try part.program.run(frame) } catch {
                throw .subgraphExecution(error)
            }
            for (position, facts) in outputs.enumerated() {
                guard let value = part.program.output(position, from: frame) else {
                    throw .missingInput(position)
                }
                results[position].append(try SequencePart.packed(value, facts, length: length))
            }
        }
        var packed: [Tensor] = []
        for result in results { packed.append(try result.joined(inputs)) }
        return .many(packed)
    }
}

/// The rows of one sequence after the other.
private struct RowCollector {
    private var parts: [Tensor] = []

    mutating func append(_ part: Tensor) { parts.append(part) }

    func joined(_ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        guard !parts.isEmpty else { throw .missingInput(0) }
        return try Concat.join(parts, axis: 0, inputs)
    }
}
