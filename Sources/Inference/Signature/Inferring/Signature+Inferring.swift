public import FoundationEssentials
public import ONNXGraph

extension Signature {
    /// Infers what the inputs and outputs of a model mean.
    ///
    /// Names, ranks, fixed and open axes, their symbols, and what the graph does with an input are looked at.
    /// What the model's metadata says (`alphabet`, `pad_id`, `labels`, `signature`) comes before, and what a
    /// `model.json` says with the same keys before that.
    ///
    /// - Parameters:
    ///   - model: A valid model.
    ///   - document: The content of a `model.json`; nil if there is none.
    /// - Throws: ``SignatureError`` if something has no meaning, or more than one.
    /// - Complexity: O(nodes).
    public init(inferring model: Model, document: Data? = nil) throws(SignatureError) {
        let graph = model.graph
        let statements = try SignatureStatements(metadata: model.metadata, document: document)
        let inputs = try InputInference(graph, statements)
        let input = inputs.sequence
        let (kind, timeAxis) = try SequenceKindInference(
            input: input,
            mask: inputs.mask,
            usage: inputs.usage,
            statement: statements.sequence
        ).infer()
        let mask = inputs.mask
        let outputs = try OutputInference(
            batchSymbol: input.symbol(0),
            timeSymbol: input.symbol(timeAxis) ?? mask.flatMap { $0.symbol($0.rank - 1) },
            statements: statements.outputs
        ).infer(graph)

        self.init(
            sequence: SequenceInput(name: input.name, kind: kind),
            mask: mask.flatMap { mask in
                mask.elementType.map { MaskInput(name: mask.name, elementType: $0, rank: mask.rank) }
            },
            lengths: inputs.lengths.flatMap { lengths in
                lengths.elementType.map { LengthsInput(name: lengths.name, elementType: $0) }
            },
            outputs: outputs,
            alphabet: statements.alphabet,
            padID: statements.padID,
            labels: statements.labels,
            vocabularySize: kind == .tokens ? inputs.usage.vocabularySize : nil
        )
        try checkTokensAndLabels()
    }

    private func checkTokensAndLabels() throws(SignatureError) {
        if sequence.kind != .tokens, alphabet != nil || padID != nil { throw .alphabetForFeatures }
        if let vocabularySize {
            if let alphabet, alphabet.count > vocabularySize {
                throw .idOutOfRange(
                    key: "alphabet",
                    id: Int64(alphabet.count - 1),
                    vocabularySize: vocabularySize
                )
            }
            if let padID, padID < 0 || padID >= vocabularySize {
                throw .idOutOfRange(key: "pad_id", id: padID, vocabularySize: vocabularySize)
            }
        }
        if let labels, labelledOutput == nil { throw .labelCount(labels.count) }
    }
}
