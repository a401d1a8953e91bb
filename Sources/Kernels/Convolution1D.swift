internal import CKernels

/// The geometry of a 1-D convolution, checked once.
///
/// `y[n, t] = sum over c, i of w[n, c, i] * x[c, t * stride + i * dilation - padBegin]`, with zeros outside of `x`.
public struct Convolution1D: Sendable, Hashable {
    /// C, the channels of the input.
    public let inputChannels: Int
    /// N, the channels of the output.
    public let outputChannels: Int
    /// The number of taps.
    public let kernel: Int
    /// The step between windows.
    public let stride: Int
    /// The distance between taps.
    public let dilation: Int
    /// The number of groups; channels of a group see only their own.
    public let groups: Int
    /// Zeros before the first position.
    public let padBegin: Int
    /// Zeros after the last position.
    public let padEnd: Int

    /// A geometry, or nil if it makes no sense.
    ///
    /// Each number must be positive (pads may be 0) and below 2^31, the groups must divide both channel counts, and
    /// the weights must be fewer than 2^31.
    ///
    /// - Parameters:
    ///   - inputChannels: C.
    ///   - outputChannels: N.
    ///   - kernel: The number of taps.
    ///   - stride: The step between windows.
    ///   - dilation: The distance between taps.
    ///   - groups: The number of groups.
    ///   - padBegin: Zeros before the first position.
    ///   - padEnd: Zeros after the last position.
    public init?(
        inputChannels: Int,
        outputChannels: Int,
        kernel: Int,
        stride: Int = 1,
        dilation: Int = 1,
        groups: Int = 1,
        padBegin: Int = 0,
        padEnd: Int = 0
    ) {
        let limit = 1 << 31
        let positive = [inputChannels, outputChannels, kernel, stride, dilation, groups]
        guard positive.allSatisfy({ (1..<limit).contains($0) }),
            (0..<limit).contains(padBegin), (0..<limit).contains(padEnd),
            inputChannels % groups == 0, outputChannels % groups == 0
        else { return nil }
        let (perChannel, overflow) = kernel.multipliedReportingOverflow(by: inputChannels / groups)
        let (weights, overflowAll) = perChannel.multipliedReportingOverflow(by: outputChannels)
        guard !overflow, !overflowAll, weights < limit else { return nil }
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.kernel = kernel
        self.stride = stride
        self.dilation = dilation
        self.groups = groups
        self.padBegin = padBegin
        self.padEnd = padEnd
    }

    /// The number of weights, `N * (C / groups) * kernel`.
    public var weightCount: Int { outputChannels * (inputChannels / groups) * kernel }

    /// The number of output positions for an input of `length` positions; 0 if the window does not fit.
    ///
    /// - Parameter length: At most 2^31.
    /// - Returns: `(length + padBegin + padEnd - dilation * (kernel - 1) - 1) / stride + 1`, or 0.
    public func outputLength(_ length: Int) -> Int {
        let span = length + padBegin + padEnd - dilation * (kernel - 1) - 1
        return span < 0 ? 0 : span / stride + 1
    }

    /// One sequence and one group, with channels last.
    func native(length: Int, outputLength: Int) -> sn_convolution {
        sn_convolution(
            input_channels: inputChannels / groups,
            output_channels: outputChannels / groups,
            kernel: kernel,
            stride: stride,
            dilation: dilation,
            pad_begin: padBegin,
            length: length,
            output_length: outputLength,
            input_stride: inputChannels,
            output_stride: outputChannels,
            finite_weights: false
        )
    }
}
