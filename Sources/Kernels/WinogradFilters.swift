internal import CKernels
internal import TensorCore

/// The weights of a 1-D convolution of stride 1, transformed for minimal filtering.
///
/// With m = 9 - kernel outputs a tile, `y = A^T [(G w) * (B^T x)]` at the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, where
/// `G w` is computed once, in double (Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, 2016,
/// arXiv:1509.09308). Outputs of a tile are `dilation` apart; tiles begin at multiples of m * dilation from a sequence's first
/// output on, whatever its length, so that nothing behind a sequence changes its bits.
struct WinogradFilters: Sendable {
    /// The first output that is filtered; those before it are sums.
    let start: Int
    /// Positions from one tile's outputs to those of the next that lie wholly behind them: m * dilation.
    let span: Int
    private let geometry: Convolution1D
    /// `[groups, points, panels, channels, SN_PANEL]`.
    private let transformed: Tensor

    /// Positions of a tile's outputs, the gaps of a dilation included, from which on a sequence's first are left to sums: many
    /// sequences are shorter.
    private static let longestFirstTile = 32

    /// Transforms weights; nil if filtering cannot be done, would not be faster, or there is no memory for it.
    ///
    /// - Parameters:
    ///   - geometry: The geometry.
    ///   - panels: The weights packed for sums, `[groups, panels, kernel * channels, SN_PANEL]`.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    init?(_ geometry: Convolution1D, panels: Tensor) throws(ShapeError) {
        let (channels, outputs) = (
            geometry.inputChannels / geometry.groups, geometry.outputChannels / geometry.groups
        )
        guard geometry.stride == 1, Self.gains(geometry.kernel, channels, outputs) else { return nil }
        let (points, width) = (Int(SN_WINOGRAD_POINTS), Int(SN_PANEL))
        let count = (outputs + width - 1) / width
        let shape = try Shape(checking: [geometry.groups, points, count, channels, width])
        guard var transformed = Tensor(allocating: .float32, shape: shape) else { return nil }
        transformed.withMutablePointer(to: Float.self) { start in
            panels.withElements(of: Float.self) { panels in
                guard let source = panels.baseAddress else { return }
                for group in 0..<geometry.groups {
                    sn_winograd_pack(
                        geometry.kernel,
                        channels,
                        count,
                        source + group * count * geometry.kernel * channels * width,
                        start + group * points * count * channels * width
                    )
                }
            }
        }
        guard transformed.withElements(of: Float.self, { $0.allSatisfy(\.isFinite) }) else { return nil }
        self.transformed = transformed
        self.geometry = geometry
        span = (points + 1 - geometry.kernel) * geometry.dilation
        start = span > Self.longestFirstTile ? span : 0
    }

    /// Whether the products saved are worth the transforms, which were measured to take the time of some 100 products for each
    /// channel that enters or leaves a tile.
    private static func gains(_ kernel: Int, _ channels: Int, _ outputs: Int) -> Bool {
        let points = Double(SN_WINOGRAD_POINTS)
        guard (3...7).contains(kernel) else { return false }
        let sums = (points + 1 - Double(kernel)) * Double(kernel) * Double(channels) * Double(outputs)
        return sums > 1.1 * (points * Double(channels) * Double(outputs) + 100 * Double(channels + outputs))
    }

    /// What one position takes, in multiply-adds.
    var work: Int {
        let points = Int(SN_WINOGRAD_POINTS)
        return geometry.weightCount / geometry.kernel * points / (points + 1 - geometry.kernel)
    }

    /// Convolves parts of sequences from ``start`` on, as ``PackedConvolution1D/rows(_:parts:into:epilogue:)`` does.
    func rows(
        _ x: UnsafePointer<Float>,
        parts: [PackedConvolution1D.Part],
        into y: UnsafeMutablePointer<Float>,
        epilogue: Epilogue
    ) {
        var shape = geometry.native(length: 0, outputLength: 0)
        let (channels, outputs) = (Int(shape.input_channels), Int(shape.output_channels))
        withUnsafeTemporaryAllocation(of: sn_convolution_part.self, capacity: parts.count) { native in
            var count = 0
            for part in parts where part.positions.upperBound > start {
                native[count] = sn_convolution_part(
                    source: part.source,
                    length: part.length,
                    target: part.target,
                    begin: max(part.positions.lowerBound, start),
                    end: part.positions.upperBound
                )
                count += 1
            }
            guard count > 0 else { return }
            transformed.withElements(of: Float.self) { panels in
                guard let panels = panels.baseAddress else { return }
                withScratch(sn_winograd_block(channels, outputs).scratch) { scratch in
                    for group in 0..<geometry.groups {
                        var steps = epilogue.native(
                            fromRow: 0,
                            columns: geometry.outputChannels,
                            channel: group * outputs
                        )
                        active.filter_rows(
                            &shape,
                            x + group * channels,
                            panels + group * (transformed.count / geometry.groups),
                            y + group * outputs,
                            &steps,
                            geometry.outputChannels,
                            native.baseAddress,
                            count,
                            scratch
                        )
                    }
                }
            }
        }
    }
}
