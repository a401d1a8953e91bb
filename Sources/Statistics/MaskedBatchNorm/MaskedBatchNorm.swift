internal import CKernels
public import TensorCore

/// Batch normalization of sequences of different lengths, padded to one: statistics of the valid positions only.
///
/// With n valid positions in the batch, for each channel: `mean = sum(x) / n`, `variance = sum((x - mean)^2) / n` and
/// `y = (x - mean) / sqrt(variance + epsilon) * scale + bias`; `y` is 0 at padding. What stands at padding is never looked at,
/// be it NaN. Statistics are Double throughout, and the mean stays so until it is subtracted; no result depends on the
/// number of threads.
///
/// ```swift
/// var norm = try MaskedBatchNorm(channels: 64, running: .pytorch(.pytorchMomentum(0.1)))
/// let batch = try norm.train(x, mask: .lengths(SequenceMask(lengths: [17, 9, 25])))   // x: [3, 64, 25]
/// let y = try norm.evaluate(x, mask: .tensor(mask))                                   // mask: [3, 1, 25]
/// ```
public struct MaskedBatchNorm: Sendable, Equatable {
    /// Which positions of a batch are valid.
    public enum Mask: Sendable {
        /// All.
        case all
        /// The first ones of each sequence.
        case lengths(SequenceMask)
        /// Those where a tensor `[B, 1, L]` (`[B, 1]` beside an input `[B, C]`) is 1 and not 0. Any place may be valid.
        case tensor(Tensor)
    }

    /// What training gives for a batch.
    public struct TrainingResult: Sendable {
        /// The normalized input, of its shape; 0 at padding.
        public let output: Tensor
        /// The moments it was normalized with.
        public let moments: Moments
    }

    /// C.
    public let channels: Int
    /// Added to the variance.
    public let epsilon: Double
    /// `[C]`, or nil for ones.
    public let scale: [Float]?
    /// `[C]`, or nil for zeros.
    public let bias: [Float]?
    /// What evaluation uses; nil if nothing is tracked, so that evaluation uses its own batch's statistics.
    public private(set) var running: RunningStatistics?

    /// A normalization before its first batch.
    ///
    /// - Parameters:
    ///   - channels: C; below 0 counts as 0.
    ///   - epsilon: Above 0.
    ///   - scale: `[C]`, or nil for ones.
    ///   - bias: `[C]`, or nil for zeros.
    ///   - running: The convention of the running statistics, or nil to track none.
    /// - Throws: ``MaskedBatchNormError/channels(expected:actual:)``, ``MaskedBatchNormError/epsilon(_:)`` or
    ///   ``MaskedBatchNormError/batchWeight(_:)``.
    public init(
        channels: Int,
        epsilon: Double = 1e-5,
        scale: [Float]? = nil,
        bias: [Float]? = nil,
        running: RunningStatistics.Rule?
    ) throws(MaskedBatchNormError) {
        var statistics: RunningStatistics?
        if let running { statistics = try RunningStatistics(running, channels: channels) }
        try self.init(channels: channels, epsilon: epsilon, scale: scale, bias: bias, resuming: statistics)
    }

    /// A normalization that goes on from stored statistics.
    ///
    /// - Parameters:
    ///   - channels: C; below 0 counts as 0.
    ///   - epsilon: Above 0.
    ///   - scale: `[C]`, or nil for ones.
    ///   - bias: `[C]`, or nil for zeros.
    ///   - resuming: The running statistics, or nil to track none.
    /// - Throws: ``MaskedBatchNormError/channels(expected:actual:)`` or ``MaskedBatchNormError/epsilon(_:)``.
    public init(
        channels: Int,
        epsilon: Double = 1e-5,
        scale: [Float]? = nil,
        bias: [Float]? = nil,
        resuming: RunningStatistics?
    ) throws(MaskedBatchNormError) {
        self.channels = max(0, channels)
        guard epsilon > 0 && epsilon.isFinite else { throw .epsilon(epsilon) }
        for count in [scale?.count, bias?.count, resuming?.mean.count] {
            guard let count, count != self.channels else { continue }
            throw .channels(expected: self.channels, actual: count)
        }
        self.epsilon = epsilon
        self.scale = scale
        self.bias = bias
        running = resuming
    }

    /// The moments of a batch's valid positions.
    ///
    /// Those of a batch's parts, on several machines, merged and passed to ``train(_:mask:moments:threads:)``, give
    /// synchronised batch normalization.
    ///
    /// - Parameters:
    ///   - input: float32 `[B, C]` or `[B, C, L]`.
    ///   - mask: The valid positions; none at all is allowed.
    ///   - threads: The most threads to use; changes no bit.
    /// - Returns: The moments; NaN in channels with NaN or infinities at valid positions.
    /// - Throws: A ``MaskedBatchNormError`` if input or mask do not fit.
    /// - Complexity: O(B*C*L), one pass over the valid positions.
    public func moments(
        of input: Tensor,
        mask: Mask = .all,
        threads: Int = 1
    ) throws(MaskedBatchNormError) -> Moments {
        let pass = try pass(over: input, mask: mask, threads: threads)
        return input.withPointer(to: Float.self) { pass.moments(of: $0) }
    }

    /// Normalizes a batch with its own statistics and averages those into ``running``.
    ///
    /// - Parameters:
    ///   - input: float32 `[B, C]` or `[B, C, L]`.
    ///   - mask: The valid positions.
    ///   - moments: The moments of the whole batch, where `input` is only a part of it; nil: `input` is all.
    ///   - threads: The most threads to use; changes no bit.
    /// - Returns: Output and moments.
    /// - Throws: A ``MaskedBatchNormError`` if input or mask do not fit;
    ///   ``MaskedBatchNormError/noValidPosition`` if there are no statistics, and
    ///   ``MaskedBatchNormError/oneValidPosition`` if ``running`` wants those with divisor n - 1. Nothing is changed then.
    /// - Complexity: O(B*C*L), two passes over the valid positions.
    public mutating func train(
        _ input: Tensor,
        mask: Mask = .all,
        moments: Moments? = nil,
        threads: Int = 1
    ) throws(MaskedBatchNormError) -> TrainingResult {
        let pass = try pass(over: input, mask: mask, threads: threads)
        let moments = moments ?? input.withPointer(to: Float.self) { pass.moments(of: $0) }
        let output = normalized(input, try coefficients(moments), pass)
        try running?.add(moments)
        return TrainingResult(output: output, moments: moments)
    }

    /// Normalizes a batch with the running statistics; with its own if none are tracked.
    ///
    /// - Parameters:
    ///   - input: float32 `[B, C]` or `[B, C, L]`.
    ///   - mask: The valid positions.
    ///   - threads: The most threads to use; changes no bit.
    /// - Returns: The output, of the input's shape; 0 at padding.
    /// - Throws: A ``MaskedBatchNormError`` if input or mask do not fit;
    ///   ``MaskedBatchNormError/noValidPosition`` if nothing is tracked and nothing valid.
    /// - Complexity: O(B*C*L), one pass over the valid positions, two if nothing is tracked.
    public func evaluate(
        _ input: Tensor,
        mask: Mask = .all,
        threads: Int = 1
    ) throws(MaskedBatchNormError) -> Tensor {
        let pass = try pass(over: input, mask: mask, threads: threads)
        let coefficients = try coefficients(of: input, pass)
        return normalized(input, coefficients, pass)
    }

    /// The same as ``evaluate(_:mask:threads:)``, in the input's own memory: nothing is allocated, and less is moved.
    ///
    /// ```swift
    /// try norm.evaluate(inPlace: &x, mask: .lengths(mask))
    /// ```
    ///
    /// - Parameters:
    ///   - input: float32 `[B, C]` or `[B, C, L]`; becomes the output, and stays as it is if an error is thrown. It is copied
    ///     first if other tensors share its memory.
    ///   - mask: The valid positions.
    ///   - threads: The most threads to use; changes no bit.
    /// - Throws: What ``evaluate(_:mask:threads:)`` throws.
    /// - Complexity: O(B*C*L), one pass over the valid positions, two if nothing is tracked.
    public func evaluate(
        inPlace input: inout Tensor,
        mask: Mask = .all,
        threads: Int = 1
    ) throws(MaskedBatchNormError) {
        let pass = try pass(over: input, mask: mask, threads: threads)
        let coefficients = try coefficients(of: input, pass)
        input.withMutablePointer(to: Float.self) { x in pass.normalize(x, into: x, coefficients: coefficients)
        }
    }

    /// The same as ``evaluate(_:mask:threads:)``, into memory that is there already: only valid positions are written.
    ///
    /// What stands at padding stays. A buffer that is 0 there is so again after batches of the same mask: that saves
    /// writing the zeros each time, which at half padding is a third of what moves.
    ///
    /// - Parameters:
    ///   - input: float32 `[B, C]` or `[B, C, L]`.
    ///   - output: float32 of the input's shape. It is copied first if other tensors share its memory.
    ///   - mask: The valid positions.
    ///   - threads: The most threads to use; changes no bit.
    /// - Throws: What ``evaluate(_:mask:threads:)`` throws, and ``MaskedBatchNormError/output(elementType:shape:)``; the
    ///   output is as it was then.
    /// - Complexity: As ``evaluate(_:mask:threads:)``.
    public func evaluate(
        _ input: Tensor,
        into output: inout Tensor,
        mask: Mask = .all,
        threads: Int = 1
    ) throws(MaskedBatchNormError) {
        let pass = try pass(over: input, mask: mask, threads: threads)
        guard output.elementType == .float32, output.shape == input.shape else {
            throw .output(elementType: output.elementType, shape: output.shape.dimensions)
        }
        let coefficients = try coefficients(of: input, pass)
        output.withMutablePointer(to: Float.self) { y in
            input.withPointer(to: Float.self) { x in
                pass.normalize(x, into: y, coefficients: coefficients, keepsPadding: true)
            }
        }
    }

    /// What evaluation normalizes with: the running statistics, the batch's own if there are none.
    private func coefficients(of input: Tensor, _ pass: BatchPass) throws(MaskedBatchNormError)
        -> [sn_normalization]
    {
        if let running { return coefficients(means: running.mean, variances: running.variance) }
        return try coefficients(input.withPointer(to: Float.self) { pass.moments(of: $0) })
    }

    private func coefficients(_ moments: Moments) throws(MaskedBatchNormError) -> [sn_normalization] {
        guard moments.channels == channels else {
            throw .channels(expected: channels, actual: moments.channels)
        }
        return coefficients(means: moments.mean, variances: try moments.variance(divisor: .count))
    }

    /// Means, factors and biases of each channel.
    private func coefficients(means: [Double], variances: [Double]) -> [sn_normalization] {
        (0..<channels).map { channel in
            let scale = scale.map { Double($0[channel]) } ?? 1
            return sn_normalization_by(
                means[channel],
                scale / (variances[channel] + epsilon).squareRoot(),
                bias.map { Double($0[channel]) } ?? 0
            )
        }
    }

    private func normalized(_ input: Tensor, _ coefficients: [sn_normalization], _ pass: BatchPass) -> Tensor
    {
        var output = Tensor(uninitialized: .float32, shape: input.shape)
        output.withMutablePointer(to: Float.self) { y in
            input.withPointer(to: Float.self) { x in pass.normalize(x, into: y, coefficients: coefficients) }
        }
        return output
    }
}

extension MaskedBatchNorm {
    /// Input and mask, checked against each other and the channels.
    private func pass(over input: Tensor, mask: Mask, threads: Int) throws(MaskedBatchNormError) -> BatchPass
    {
        let shape = input.shape
        guard shape.rank == 2 || shape.rank == 3 else { throw .inputRank(shape.rank) }
        guard input.elementType == .float32 else { throw .inputType(input.elementType) }
        guard shape[1] == channels else { throw .channels(expected: channels, actual: shape[1]) }
        let (batch, length) = (shape[0], shape.rank == 3 ? shape[2] : 1)
        let positions: ValidPositions
        switch mask {
        case .all: positions = ValidPositions(batch: batch, length: length)
        case .lengths(let mask): positions = try ValidPositions(mask, batch: batch, length: length)
        case .tensor(let mask):
            let expected = shape.rank == 3 ? [batch, 1, length] : [batch, 1]
            guard mask.shape.dimensions == expected else {
                throw .maskShape(expected: expected, actual: mask.shape.dimensions)
            }
            positions = try ValidPositions(mask, batch: batch, length: length)
        }
        return BatchPass(positions, channels: channels, threads: threads)
    }
}
