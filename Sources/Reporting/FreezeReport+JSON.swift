public import FoundationEssentials

extension FreezeReport {
    /// The report as JSON: indented, keys sorted and in snake case, a line feed at the end.
    ///
    /// Values stand in full: `mean` and `variance` are `{"steps": [T, ...], "channels": C, "values": [...]}` in
    /// row-major order with the channels last. What is no number is the string `"nan"`, `"inf"` or `"-inf"`.
    ///
    /// - Returns: The bytes of a file.
    /// - Throws: What the encoder throws; nothing is known to make it.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
