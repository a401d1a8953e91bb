internal import CKernels
public import TensorCore

/// A 1-D convolution whose weights were rearranged once, at load.
///
/// Both layouts give the same bits, and an output position's bits depend on its window alone: not on the length, on
/// its place or on the batch. Zeros inside the length count as padding does. Of a ``filtered()`` one they depend on the
/// position's tile: on the inputs around it, and on its place from the sequence's first position on.
/// ```swift
/// let convolution = try PackedConvolution1D(geometry, weights: w)
/// convolution.channelsFirst(x, batch: 1, length: 15, into: y, epilogue: Epilogue(bias: b, activation: .relu))
/// ```
public struct PackedConvolution1D: Sendable {
    /// The geometry.
    public let geometry: Convolution1D
    /// Nil if `filters` has all.
    private let panels: PackedPanels?
    private let filters: WinogradFilters?
    /// Taps over padding are left out if so: an infinite weight makes them NaN.
    private let hasFiniteWeights: Bool

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
        filters = nil
        hasFiniteWeights = UnsafeBufferPointer(start: weights, count: geometry.weightCount).allSatisfy(
            \.isFinite
        )
    }

    private init(_ convolution: PackedConvolution1D, panels: PackedPanels?, filters: WinogradFilters? = nil) {
        geometry = convolution.geometry
        hasFiniteWeights = convolution.hasFiniteWeights
        self.panels = panels
        self.filters = filters
    }

    /// Output channels of a group from which on products of bfloat16 are worth their rounding.
    private static let fewestNarrowOutputs = 8

    /// The convolution with its weights rounded to bfloat16, halves to even, in half the memory.
    ///
    /// It rounds its input too as it enters, and sums in float32.
    ///
    /// - Returns: The rounded convolution; itself if it was rounded or filtered before, or has so few output channels in a
    ///   group that there is nothing to gain, as where each channel has its own weights.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(weights).
    public func narrowed() throws(ShapeError) -> PackedConvolution1D {
        let outputs = geometry.outputChannels / geometry.groups
        guard let panels, filters == nil, outputs >= Self.fewestNarrowOutputs else { return self }
        let width = Int(SN_PANEL)
        let narrow = try panels.narrowed(
            count: geometry.groups * ((outputs + width - 1) / width),
            taps: geometry.kernel,
            depth: geometry.inputChannels / geometry.groups
        )
        return PackedConvolution1D(self, panels: narrow)
    }

    /// Whether it is one that ``filtered()`` gave.
    public var isFiltered: Bool { filters != nil }

    /// Parts of a sequence that begin at multiples of this share no work.
    public var unit: Int { filters?.span ?? 1 }

    /// What one position takes, in multiply-adds.
    public var work: Int { filters?.work ?? geometry.weightCount }

    /// The convolution by minimal filtering, which takes fewer products.
    ///
    /// A tile of `9 - kernel` outputs, `dilation` apart, takes 8 products for each pair of channels, not
    /// `kernel * (9 - kernel)`; results differ by rounding, two to three and a half times that of the sums. With dilations so large that a
    /// tile would be longer than many sequences, the first `dilation * (9 - kernel)` positions keep their sums, and both forms
    /// of the weights are held.
    ///
    /// - Returns: The filtered convolution; itself if it was rounded before, if it has other than 3 to 7 taps, a stride other
    ///   than 1, weights that are not finite, or too few channels to gain by it.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(weights); the transformed weights take `8 / kernel` times the memory.
    public func filtered() throws(ShapeError) -> PackedConvolution1D {
        guard filters == nil, case .float32(let sums)? = panels,
            let filters = try WinogradFilters(geometry, panels: sums)
        else { return self }
        return PackedConvolution1D(self, panels: filters.start == 0 ? nil : panels, filters: filters)
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
        guard filters == nil, let panels else {
            return throughRows(x, batch: batch, length: length, into: y, epilogue: epilogue)
        }
        var shape = geometry.native(length: length, outputLength: outputLength)
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

    /// The same by way of rows.
    private func throughRows(
        _ x: UnsafePointer<Float>,
        batch: Int,
        length: Int,
        into y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue
    ) {
        let outputLength = geometry.outputLength(length)
        let (inputs, outputs) = (geometry.inputChannels * length, geometry.outputChannels * outputLength)
        withScratch(inputs + outputs) { scratch in
            let sums = scratch + inputs
            for index in 0..<batch {
                let size = MemoryLayout<Float>.size
                sn_transpose(geometry.inputChannels, length, size, x + index * inputs, scratch)
                rows(scratch, length: length, into: sums)
                sn_transpose(outputLength, geometry.outputChannels, size, sums, y + index * outputs)
            }
        }
        Affine.channelsFirst(
            epilogue,
            y,
            into: y,
            batch: batch,
            channels: geometry.outputChannels,
            length: outputLength
        )
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
        let part = Part(
            source: 0,
            length: length,
            target: 0,
            positions: positions ?? 0..<geometry.outputLength(length)
        )
        rows(x, parts: [part], into: y, epilogue: epilogue)
    }

    /// A part of one of the sequences that share a buffer.
    public struct Part: Sendable {
        /// The sequence's first row in the input.
        public let source: Int
        /// L.
        public let length: Int
        /// The first row of the sequence's result, from which on `positions` count.
        public let target: Int
        /// The positions of the result that are computed, in `0 ..< outputLength`.
        public let positions: Range<Int>

        /// A part.
        ///
        /// - Parameters:
        ///   - source: The sequence's first row in the input.
        ///   - length: L.
        ///   - target: The first row of the sequence's result.
        ///   - positions: The positions of the result that are computed.
        public init(source: Int, length: Int, target: Int, positions: Range<Int>) {
            (self.source, self.length, self.target, self.positions) = (source, length, target, positions)
        }
    }

    /// Convolves sequences that lie one behind the other, position by position, `[R, C]` to `[R', N]`.
    ///
    /// - Parameters:
    ///   - x: `[R, C]`.
    ///   - parts: What of which sequences.
    ///   - y: `[R', N]`; must not overlap `x`.
    ///   - epilogue: What is done to the result: scale and bias `[N]`, mask `[R']`, residual as `y`.
    /// - Complexity: O(outputs * weights); scratch of O(C + N + kernel).
    public func rows(
        _ x: UnsafePointer<Float>,
        parts: [Part],
        into y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue = Epilogue()
    ) {
        filters?.rows(x, parts: parts, into: y, epilogue: epilogue)
        guard let panels else { return }
        for part in parts {
            let positions = part.positions.clamped(to: 0..<(filters?.start ?? .max))
            guard !positions.isEmpty else { continue }
            sum(x + part.source * geometry.inputChannels, part, positions, panels, into: y, epilogue)
        }
    }

    private func sum(
        _ x: UnsafePointer<Float>,
        _ part: Part,
        _ positions: Range<Int>,
        _ panels: PackedPanels,
        into y: UnsafeMutablePointer<Float>,
        _ epilogue: Epilogue
    ) {
        var shape = geometry.native(length: part.length, outputLength: positions.count)
        shape.pad_begin -= positions.lowerBound * geometry.stride
        shape.finite_weights = hasFiniteWeights
        let row = part.target + positions.lowerBound
        let (channels, outputs) = (Int(shape.input_channels), Int(shape.output_channels))
        for group in 0..<geometry.groups {
            let (source, target) = (x + group * channels, y + row * geometry.outputChannels + group * outputs)
            var native = epilogue.native(
                fromRow: row,
                columns: geometry.outputChannels,
                channel: group * outputs
            )
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
}
