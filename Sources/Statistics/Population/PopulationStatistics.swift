public import TensorCore

/// The statistics of a population at one normalization, as they are frozen into a model.
///
/// `T` are the longest extents of the enclosing loops that any batch had, outermost first; empty outside of loops. At a step
/// `t`, inference uses what stands at `min(t, T - 1)`.
public struct PopulationStatistics: Sendable, Equatable {
    /// The stem of the labels, such as `block1.bn`.
    public var label: String
    /// `[T..., C...]`, of the element type the batches had; nil if there is none.
    public var mean: Tensor?
    /// `[T..., C...]`, of the element type the batches had, with divisor ``varianceDivisor``; nil if there is none.
    public var variance: Tensor?
    /// Int64 `[T...]`: how many batches reached each step.
    public var coverage: Tensor
    /// Float64 `[T...]`: how many valid positions of all batches are in each step; nil if the counts are not known.
    public var positions: Tensor?
    /// How many batches there were.
    public var batches: Int
    /// How the batches were put together.
    public var estimator: Estimator
    /// What the batches said of steps after their last; `hold` for ``Estimator/pooled``, which weighs positions.
    public var tail: Tail

    /// Always the number of positions itself, not one less.
    public var varianceDivisor: String { "biased" }

    /// The statistics of a population.
    ///
    /// - Parameters:
    ///   - label: The stem of the labels.
    ///   - mean: `[T..., C...]`.
    ///   - variance: `[T..., C...]`.
    ///   - coverage: Int64 `[T...]`.
    ///   - positions: Float64 `[T...]`.
    ///   - batches: How many batches there were.
    ///   - estimator: How they were put together.
    ///   - tail: What they said of steps after their last.
    public init(
        label: String,
        mean: Tensor?,
        variance: Tensor?,
        coverage: Tensor,
        positions: Tensor? = nil,
        batches: Int,
        estimator: Estimator,
        tail: Tail
    ) {
        self.label = label
        self.mean = mean
        self.variance = variance
        self.coverage = coverage
        self.positions = positions
        self.batches = batches
        self.estimator = estimator
        self.tail = tail
    }
}
