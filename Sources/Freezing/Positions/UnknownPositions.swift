/// Why it is not known which positions of a normalization in a loop are valid.
public enum UnknownPositions: Error, Hashable, Sendable {
    /// The axes of its input were not followed from the model's inputs, or they are not batch, channels and positions.
    case axes
    /// A loop around it works on positions in a way that was not followed.
    case steps
    /// It is computed from several positions of each sequence, as of a Scan forward and one backward.
    case severalPositions
    /// The number that picks the position is not made before the normalization.
    case order
}

extension UnknownPositions: CustomStringConvertible {
    /// The reason as a part of a sentence.
    public var description: String {
        switch self {
        case .axes: "its input is not known to be [batch, channels] or [batch, channels, positions]"
        case .steps: "a loop around it takes positions in a way that cannot be followed"
        case .severalPositions:
            "it is made of several positions of each sequence, as from forward and from backward"
        case .order: "the number of the position is not made before it"
        }
    }
}
