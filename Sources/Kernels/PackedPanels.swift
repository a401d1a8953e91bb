internal import CKernels
internal import TensorCore

/// The weights of a product as the kernels read them.
enum PackedPanels: Sendable {
    /// `[panels, k, SN_PANEL]`.
    case float32(Tensor)
    /// Rounded, in pairs of rows: `[panels, k' / 2, SN_PANEL, 2]` with k' as `sn_narrow_depth` says.
    case bfloat16(Tensor)

    /// The panels rounded to bfloat16.
    ///
    /// - Parameters:
    ///   - count: The number of panels.
    ///   - taps: The taps of a convolution; 1 of a matrix.
    ///   - depth: The input channels of a tap.
    /// - Returns: The same panels if they are rounded already.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    func narrowed(count: Int, taps: Int, depth: Int) throws(ShapeError) -> PackedPanels {
        guard case .float32(let panels) = self else { return self }
        let shape = try Shape(checking: [count, sn_narrow_depth(taps, depth), Int(SN_PANEL)])
        return .bfloat16(
            Tensor(of: UInt16.self, shape: shape) { narrow in
                panels.withElements(of: Float.self) { panels in
                    guard let source = panels.baseAddress, let start = narrow.baseAddress else { return }
                    sn_narrow_pack(taps, depth, count, source, start)
                }
            }
        )
    }
}
