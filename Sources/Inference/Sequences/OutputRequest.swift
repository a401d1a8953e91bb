/// What a caller wants of a model.
public enum OutputRequest: Hashable, Sendable {
    /// Outputs by name, in this order; none named means ``SequenceModel/predictOutputs``.
    case outputs([String])
    /// The features after a normalization, by the name of one of ``SequenceModel/layers``; nil means the model's
    /// output `normalized`, or without one the last of them.
    ///
    /// Those of a normalization in the body of a Scan over the positions have a row a step, in the order of the
    /// positions.
    case layer(String?)
}

/// How the sequences of a batch are run.
public enum Batching: String, Hashable, Sendable, CaseIterable {
    /// Each sequence without padding.
    case ragged
    /// All at once, padded on the right to the longest, with a mask.
    case padded
}
