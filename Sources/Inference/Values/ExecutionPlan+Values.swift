import ONNXGraph
import TensorCore

extension ExecutionPlan {
    /// Computes the outputs of a model whose inputs or outputs may be sequences, optionals or strings.
    ///
    /// - Parameter values: A value for each of ``inputNames``, and no others.
    /// - Returns: The outputs, in the order of ``outputNames``.
    /// - Throws: What ``run(_:)`` throws, or ``ExecutionError/inputKind(name:expected:actual:)``.
    public func run(values: [String: Value]) throws(ExecutionError) -> [Value] {
        var budget = RunBudget(limits)
        return try withUnsafeMutablePointer(to: &budget) { (budget) throws(ExecutionError) in
            try run(values: values, Frame(for: program, budget))
        }
    }

    private func run(
        values: [String: Value],
        _ frame: consuming Frame
    ) throws(ExecutionError) -> [Value] {
        for (index, input) in inputs.enumerated() {
            guard let value = values[inputNames[index]] else { throw .missingInput(inputNames[index]) }
            try Self.check(value, against: input)
            frame.set(program.inputs[index], to: value)
        }
        if let name = values.keys.filter({ !inputNames.contains($0) }).min() { throw .unknownInput(name) }
        try program.run(frame)
        var outputs: [Value] = []
        outputs.reserveCapacity(outputNames.count)
        for index in outputNames.indices {
            guard let value = program.outputValue(index, from: frame) else {
                throw .missingOutput(outputNames[index])
            }
            outputs.append(value)
        }
        return outputs
    }

    private static func check(_ value: Value, against input: ValueInfo) throws(ExecutionError) {
        let isAllowed: Bool
        switch (value, input.kind) {
        case (.tensor(let tensor), .tensor):
            try check(tensor, against: input)
            isAllowed = !input.isText
        case (.strings, .tensor): isAllowed = input.isText
        case (.sequence, .tensor): isAllowed = false
        case (.sequence, .sequence), (_, .optional), (_, .undeclared): isAllowed = true
        case (.none, _), (.tensor, _), (.strings, _), (.sequence, .other): isAllowed = false
        }
        guard isAllowed else {
            let expected = input.isText ? "a tensor of strings" : "a value of kind \(input.kind.rawValue)"
            throw .inputKind(name: input.name, expected: expected, actual: value.kind)
        }
    }
}
