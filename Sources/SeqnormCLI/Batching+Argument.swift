public import ArgumentParser
public import Inference

extension Batching: ExpressibleByArgument {}

extension Batching: LosslessStringConvertible {
    /// Reads `ragged` or `padded`; nil for anything else.
    ///
    /// - Parameter description: The word.
    public init?(_ description: String) { self.init(rawValue: description) }

    /// `ragged` or `padded`.
    public var description: String { rawValue }
}
