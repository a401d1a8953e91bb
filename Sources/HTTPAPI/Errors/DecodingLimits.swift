/// What a body may ask for at most.
public struct DecodingLimits: Hashable, Sendable {
    /// The most sequences in one request.
    public var maxSequences: Int
    /// The most positions in one sequence.
    public var maxPositions: Int
    /// The deepest nesting of JSON arrays and objects; empty ones do not count.
    public var maxDepth: Int
    /// The longest line of a JSON Lines or FASTA body, in bytes.
    public var maxLineBytes: Int

    /// Limits; every default suits a server on the open network.
    ///
    /// - Parameters:
    ///   - maxSequences: At least 1.
    ///   - maxPositions: At least 1.
    ///   - maxDepth: At least 8.
    ///   - maxLineBytes: At least 1.
    public init(
        maxSequences: Int = 4096,
        maxPositions: Int = 131_072,
        maxDepth: Int = 32,
        maxLineBytes: Int = 32 << 20
    ) {
        self.maxSequences = maxSequences
        self.maxPositions = maxPositions
        self.maxDepth = maxDepth
        self.maxLineBytes = maxLineBytes
    }
}
