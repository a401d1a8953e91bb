public import Inference

/// One loaded version of a model.
///
/// Whoever holds it can go on using it, whatever the repository does.
public struct ServedModel: Sendable {
    /// The model's name.
    public let name: String
    /// The version, at least 1.
    public let version: Int
    /// The SHA-256 of the file in 64 hexadecimal digits.
    public let digest: String
    /// The size of the file.
    public let fileBytes: Int
    /// The model itself.
    public let sequenceModel: SequenceModel
    /// The lengths that the model takes, where it was found not to take all; nil for all.
    public let lengthLimit: LengthLimit?

    let metrics: ModelMetrics
}
