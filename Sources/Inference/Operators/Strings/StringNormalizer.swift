import TensorCore

/// StringNormalizer: `[C]` or `[1, C]` strings without stop words, in upper or lower case.
///
/// If nothing is left, one empty string is. The locale has no meaning here: case is Unicode's.
struct StringNormalizer: Operator, TakingAllTypes {
    private let change: String
    private let isCaseSensitive: Bool
    private let stopWords: Set<String>

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        change = try reader.string("case_change_action") ?? "NONE"
        guard ["NONE", "LOWER", "UPPER"].contains(change) else { throw .attributeValue("case_change_action") }
        let isCaseSensitive = try reader.flag("is_case_sensitive", default: false)
        self.isCaseSensitive = isCaseSensitive
        _ = try reader.string("locale")
        let words = try reader.strings("stopwords") ?? []
        stopWords = Set(isCaseSensitive ? words : words.map { $0.lowercased() })
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.strings(0)
        let isRow = x.shape.rank == 2 && x.shape[0] == 1
        guard x.shape.rank == 1 || isRow else { throw .unsupportedRank(x.shape.rank, input: 0) }
        var kept = x.values.filter { !stopWords.contains(isCaseSensitive ? $0 : $0.lowercased()) }
            .map { text in
                switch change {
                case "LOWER": text.lowercased()
                case "UPPER": text.uppercased()
                default: text
                }
            }
        if kept.isEmpty { kept = [""] }
        return .values([.strings(try .checked(kept, Shape.checked(isRow ? [1, kept.count] : [kept.count])))])
    }
}
