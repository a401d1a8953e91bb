internal import CKernels
public import TensorCore

/// A 1-D convolution whose weights were rearranged once, at load.
///
/// Both layouts give the same bits, and an output position's bits depend on its window alone: not on the length, on
/// its place or on the batch. Zeros inside the length count as padding does.
/// ```swift
/// let convolution = try PackedConvolution1D(geometry, weights: w)
/// convolution.channelsFirst(x, batch: 1, length: 15, into: y, epilogue: Epilogue(bias: b, activation: .relu))
/// ```
public struct PackedConvolution1D: Sendable {
    /// The geometry.
    public let geometry: Convolution1D
    private let panels: Tensor
    private let panelsPerGroup: Int

    /// Packs the weights.
    ///
    /// - Parameters:
    ///   - geometry: The geometry.
    ///   - weights: `[N, C / groups, kernel]`, as ONNX stores them.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)`` if the packed weights would be.
    /// - Complexity: O(weights).
    public init(_ geometry: Convolution1D, weights: UnsafePointer<Float>) throws(ShapeError) {
        self.geometry = geometry
        let channels = geometry.inputChannels / geometry.groups
        let outputs = geometry.outputChannels / geometry.groups
        let width = Int(SN_PANEL)
        let depth = channels * geometry.kernel
        let shape = try Shape(checking: [geometry.groups, (outputs + width - 1) / width, depth, width])
        let perGroup = shape.elementCount / geometry.groups
        panelsPerGroup = perGroup
        panels = Tensor(of: Float.self, shape: shape) { panels in
            guard let start = panels.baseAddress else { return }
            // Taps outermost: [kernel * channels, outputs] from [outputs, channels, kernel].
            withScratch(depth * outputs) { ordered in
                for group in 0..<geometry.groups {
                    let source = weights + group * depth * outputs
                    for output in 0..<outputs {
                        for channel in 0..<channels {
                            for tap in 0..<geometry.kernel {
                                ordered[(output * geometry.kernel + tap) * channels + channel] =
                                    source[(output * channels + channel) * geometry.kernel + tap]
                            }
                        }
                    }
                    active.pack(depth, outputs, ordered, 1, depth, start + group * perGroup)
                }
            }
        }
    }

    /// Convolves sequences stored channel by channel, `[B, C, L]` to `[B, N, outputLength]`.
    ///
    /// - Parameters:
    ///   - x: `[B, C, L]`.
    ///   - batch: B.
    ///   - length: L.
    ///   - y: `[B, N, outputLength]`; must not overlap `x`.
    ///   - epilogue: What is done to the result: scale and bias `[N]`, mask `[B, outputLength]`, residual as `y`.
    /// - Complexity: O(B * outputLength * weights); scratch of O(C * kernel) for a tile of positions.
    public func channelsFirst(
        _ x: UnsafePointer<Float>,
        batch: Int,
        length: Int,
        into y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue = Epilogue()
    ) {
        let outputLength = geometry.outputLength(length)
        guard outputLength > 0 else { return }
        var shape = native(length: length, outputLength: outputLength)
        shape.input_stride = length
        shape.output_stride = outputLength
        let (channels, outputs) = (Int(shape.input_channels), Int(shape.output_channels))
        panels.withElements(of: Float.self) { panels in
            guard let start = panels.baseAddress else { return }
            for index in 0..<batch {
                for group in 0..<geometry.groups {
                    let output = (index * geometry.outputChannels + group * outputs) * outputLength
                    var native = epilogue.native
                    native.scale = epilogue.scale.map { $0 + group * outputs }
                    native.bias = epilogue.bias.map { $0 + group * outputs }
                    native.mask = epilogue.mask.map { $0 + index * outputLength }
                    native.residual = epilogue.residual.map { $0 + output }
                    active.convolve_channels(
                        &shape,
                        x + (index * geometry.inputChannels + group * channels) * length,
                        start + group * panelsPerGroup,
                        y + output,
                        &native,
                        outputLength
                    )
                }
            }
        }
    }

    /// Convolves one sequence stored position by position, `[L, C]` to `[outputLength, N]`.
    ///
    /// - Parameters:
    ///   - x: `[L, C]`.
    ///   - length: L.
    ///   - y: `[outputLength, N]`; must not overlap `x`.
    ///   - epilogue: What is done to the result: scale and bias `[N]`, mask `[outputLength]`, residual as `y`.
    /// - Complexity: O(outputLength * weights); scratch of O(C + kernel).
    public func rows(
        _ x: UnsafePointer<Float>,
        length: Int,
        into y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue = Epilogue()
    ) {
        let outputLength = geometry.outputLength(length)
        guard outputLength > 0 else { return }
        var shape = native(length: length, outputLength: outputLength)
        shape.input_stride = geometry.inputChannels
        shape.output_stride = geometry.outputChannels
        let (channels, outputs) = (Int(shape.input_channels), Int(shape.output_channels))
        panels.withElements(of: Float.self) { panels in
            guard let start = panels.baseAddress else { return }
            for group in 0..<geometry.groups {
                var native = epilogue.native
                native.scale = epilogue.scale.map { $0 + group * outputs }
                native.bias = epilogue.bias.map { $0 + group * outputs }
                native.residual = epilogue.residual.map { $0 + group * outputs }
                active.convolve_rows(
                    &shape,
                    x + group * channels,
                    start + group * panelsPerGroup,
                    y + group * outputs,
                    &native,
                    geometry.outputChannels
                )
            }
        }
    }

    private func native(length: Int, outputLength: Int) -> sn_convolution {
        sn_convolution(
            input_channels: geometry.inputChannels / geometry.groups,
            output_channels: geometry.outputChannels / geometry.groups,
            kernel: geometry.kernel,
            stride: geometry.stride,
            dilation: geometry.dilation,
            pad_begin: geometry.padBegin,
            length: length,
            output_length: outputLength,
            input_stride: 0,
            output_stride: 0
        )
    }
}
