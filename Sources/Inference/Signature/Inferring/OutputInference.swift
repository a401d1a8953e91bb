import ONNXGraph

/// Finds which outputs have a row for a sequence and which a row for a position.
struct OutputInference {
    let batchSymbol: String?
    let timeSymbol: String?
    let statements: [SignatureStatements.Output]?

    func infer(_ graph: Graph) throws(SignatureError) -> [OutputSignature] {
        let values = graph.outputs
        let known = values.map(\.name)
        for statement in statements ?? [] where !known.contains(statement.name) {
            throw .unknownOutput(statement.name, known: known)
        }
        var outputs: [OutputSignature] = []
        for value in values {
            let statement = statements?.first { $0.name == value.name }
            guard statements == nil || statement != nil else { continue }
            outputs.append(try signature(of: value, statement))
        }
        guard !outputs.isEmpty else { throw .noOutputs }
        return outputs
    }

    private func signature(
        of value: ValueInfo,
        _ statement: SignatureStatements.Output?
    ) throws(SignatureError) -> OutputSignature {
        guard let dimensions = value.dimensions else { return try undeclared(value.name, statement) }
        let output = DeclaredValue(name: value.name, elementType: value.elementType, axes: dimensions)
        guard output.rank >= 1, output.isDynamic(0), !isTime(output, axis: 0) else {
            throw .outputBatchAxis(output.name, axes: output.axisNames)
        }
        guard let timeAxis = try timeAxis(of: output, statement) else {
            let features = (1..<output.rank).map { output.length($0) }
            return OutputSignature(name: output.name, kind: .perSequence, features: features)
        }
        let features = (1..<output.rank).filter { $0 != timeAxis }.map { output.length($0) }
        return OutputSignature(
            name: output.name,
            kind: .perPosition(timeAxis: timeAxis),
            features: features
        )
    }

    private func undeclared(
        _ name: String,
        _ statement: SignatureStatements.Output?
    ) throws(SignatureError) -> OutputSignature {
        switch statement?.kind {
        case .perSequence?: return OutputSignature(name: name, kind: .perSequence, features: [nil])
        case .perPosition?:
            guard let axis = statement?.timeAxis, (1...7).contains(axis) else {
                throw .undeclaredOutput(name)
            }
            return OutputSignature(name: name, kind: .perPosition(timeAxis: axis), features: [nil])
        case nil: throw .undeclaredOutput(name)
        }
    }

    private func isTime(_ output: DeclaredValue, axis: Int) -> Bool {
        guard let timeSymbol, timeSymbol != batchSymbol else { return false }
        return output.symbol(axis) == timeSymbol
    }

    /// The axis of time; nil for an output per sequence.
    private func timeAxis(
        of output: DeclaredValue,
        _ statement: SignatureStatements.Output?
    ) throws(SignatureError) -> Int? {
        if statement?.kind == .perSequence { return nil }
        let later = Array(1..<max(1, output.rank))
        if let axis = statement?.timeAxis {
            guard later.contains(axis) else { throw .ambiguousOutput(output.name, axes: output.axisNames) }
            return axis
        }
        let named = later.filter { isTime(output, axis: $0) }
        let open = later.filter { output.isDynamic($0) && output.symbol($0) != batchSymbol }
        // Exporters make up symbols for what they do not know, but the one of the input's time axis only for time.
        if named.count == 1 { return named[0] }
        guard named.isEmpty, open.count <= 1 else {
            throw .ambiguousOutput(output.name, axes: output.axisNames)
        }
        guard let axis = open.first else { return nil }
        if let symbol = output.symbol(axis), symbol.contains(where: { "+-*/()%".contains($0) }) {
            throw .outputLength(output.name, length: symbol)
        }
        return axis
    }
}
