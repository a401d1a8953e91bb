public import TensorCore

/// The mean and the variance that a graph holds at a site.
public struct SiteValues: Sendable, Equatable {
    /// The stem of the labels.
    public let label: String
    /// `[T..., C...]`; nil if there is none.
    public let mean: Tensor?
    /// `[T..., C...]`, with the number of positions as divisor; nil if there is none.
    public let variance: Tensor?
}
