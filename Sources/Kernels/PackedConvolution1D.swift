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
    private let panels: PackedPanels

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
        panels = .float32(
            Tensor(of: Float.self, shape: shape) { panels in
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
        )
    }

    private init(_ geometry: Convolution1D, panels: PackedPanels) {
        self.geometry = geometry
        self.panels = panels
    }

    /// Output channels of a group from which on products of bfloat16 are worth their rounding.
    private static let fewestNarrowOutputs = 8

    /// The convolution with its weights rounded to bfloat16, halves to even, in half the memory.
    ///
    /// It rounds its input too as it enters, and sums in float32.
    ///
    /// - Returns: The rounded convolution; itself if it was rounded before, or has so few output channels in a group that
    ///   there is nothing to gain, as where each channel has its own weights.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(weights).
    public func narrowed() throws(ShapeError) -> PackedConvolution1D {
        let outputs = geometry.outputChannels / geometry.groups
        guard outputs >= Self.fewestNarrowOutputs else { return self }
        let width = Int(SN_PANEL)
        let narrow = try panels.narrowed(
            count: geometry.groups * ((outputs + width - 1) / width),
            taps: geometry.kernel,
            depth: geometry.inputChannels / geometry.groups
        )
        return PackedConvolution1D(geometry, panels: narrow)
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
        for index in 0..<batch {
            for group in 0..<geometry.groups {
                let source = x + (index * geometry.inputChannels + group * channels) * length
                let output = (index * geometry.outputChannels + group * outputs) * outputLength
                var native = epilogue.native
                native.scale = epilogue.scale.map { $0 + group * outputs }
                native.bias = epilogue.bias.map { $0 + group * outputs }
                native.mask = epilogue.mask.map { $0 + index * outputLength }
                native.residual = epilogue.residual.map { $0 + output }
                switch panels {
                case .float32(let panels):
                    withPanels(panels, of: Float.self, group) {
                        active.convolve_channels(&shape, source, $0, y + output, &native, outputLength)
                    }
                case .bfloat16(let panels):
                    withPanels(panels, of: UInt16.self, group) {
                        active.narrow.convolve_channels(&shape, source, $0, y + output, &native, outputLength)
                    }
                }
            }
        }
    }

    /// Convolves one sequence stored position by position, `[L, C]` to `[outputLength, N]`.
    ///
    /// - Parameters:
    ///   - x: `[L, C]`.
    ///   - length: L.
    ///   - positions: The positions of the result that are computed, in `0 ..< outputLength`; nil for all.
    ///   - y: `[outputLength, N]`; must not overlap `x`.
    ///   - epilogue: What is done to the result: scale and bias `[N]`, mask `[outputLength]`, residual as `y`.
    /// - Complexity: O(outputLength * weights); scratch of O(C + kernel).
    public func rows(
        _ x: UnsafePointer<Float>,
        length: Int,
        positions: Range<Int>? = nil,
        into y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue = Epilogue()
    ) {
        let positions = positions ?? 0..<geometry.outputLength(length)
        guard !positions.isEmpty else { return }
        let first = positions.lowerBound
        var shape = native(length: length, outputLength: positions.count)
        shape.pad_begin -= first * geometry.stride
        shape.input_stride = geometry.inputChannels
        shape.output_stride = geometry.outputChannels
        let (channels, outputs) = (Int(shape.input_channels), Int(shape.output_channels))
        for group in 0..<geometry.groups {
            let (source, target) = (
                x + group * channels, y + first * geometry.outputChannels + group * outputs
            )
            var native = epilogue.native(fromRow: first, columns: geometry.outputChannels)
            native.scale = epilogue.scale.map { $0 + group * outputs }
            native.bias = epilogue.bias.map { $0 + group * outputs }
            native.residual = native.residual.map { $0 + group * outputs }
            switch panels {
            case .float32(let panels):
                withPanels(panels, of: Float.self, group) {
                    active.convolve_rows(&shape, source, $0, target, &native, geometry.outputChannels)
                }
            case .bfloat16(let panels):
                withPanels(panels, of: UInt16.self, group) {
                    active.narrow.convolve_rows(&shape, source, $0, target, &native, geometry.outputChannels)
                }
            }
        }
    }

    /// The panels of one group.
    private func withPanels<T: TensorElement>(
        _ panels: Tensor,
        of type: T.Type,
        _ group: Int,
        _ body: (UnsafePointer<T>) -> Void
    ) {
        panels.withElements(of: type) { panels in
            guard let start = panels.baseAddress else { return }
            body(start + group * (panels.count / geometry.groups))
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
