public import TensorCore

/// What a model says of the sequences of a batch, under one output.
public struct SequenceOutput: Sendable, Equatable {
    /// The output's name.
    public let name: String
    /// Per sequence `[B, ...features]`; per position packed `[R, ...features]`, time first whatever the
    /// model's own layout.
    public let rows: Tensor
    /// The number of rows of each sequence, with sum R; nil if a sequence has one row.
    public let lengths: [Int]?

    /// An output.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - rows: The rows of all sequences, in order.
    ///   - lengths: The number of rows of each sequence; nil for one each.
    public init(name: String, rows: Tensor, lengths: [Int]? = nil) {
        self.name = name
        self.rows = rows
        self.lengths = lengths
    }
}
