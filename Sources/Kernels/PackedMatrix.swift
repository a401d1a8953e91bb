internal import CKernels
public import TensorCore

/// The right operand of a product, rearranged once (at load) so that every product with it runs at full speed.
///
/// ```swift
/// let weights = PackedMatrix(rows: k, columns: n, from: w, leadingDimension: k, transposed: true)
/// GEMM.multiply(m: rows, a: x, lda: k, weights, c: y, ldc: n, epilogue: Epilogue(bias: bias, activation: .relu))
/// ```
public struct PackedMatrix: Sendable {
    /// The inner dimension k of the product.
    public let rows: Int
    /// The number of columns n of the product.
    public let columns: Int
    let panels: PackedPanels

    /// Packs `B`.
    ///
    /// - Parameters:
    ///   - rows: k.
    ///   - columns: n.
    ///   - b: `B[i, j] = b[i * leadingDimension + j]`, or `b[j * leadingDimension + i]` if transposed.
    ///   - leadingDimension: The distance between stored rows.
    ///   - transposed: Whether `b` is stored as `[n, k]`.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(k*n).
    public init(
        rows: Int,
        columns: Int,
        from b: UnsafePointer<Float>,
        leadingDimension: Int,
        transposed: Bool = false
    ) throws(ShapeError) {
        self.rows = rows
        self.columns = columns
        let width = Int(SN_PANEL)
        let shape = try Shape(checking: [(columns + width - 1) / width, rows, width])
        panels = .float32(
            Tensor(of: Float.self, shape: shape) { panels in
                guard let start = panels.baseAddress else { return }
                active.pack(
                    rows,
                    columns,
                    b,
                    transposed ? 1 : leadingDimension,
                    transposed ? leadingDimension : 1,
                    start
                )
            }
        )
    }

    private init(rows: Int, columns: Int, panels: PackedPanels) {
        self.rows = rows
        self.columns = columns
        self.panels = panels
    }

    /// The matrix rounded to bfloat16, halves to even, in half the memory.
    ///
    /// Products with it round their left operand too as it enters, and sum in float32.
    ///
    /// - Returns: The rounded matrix, which is itself if it was rounded before.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(k*n).
    public func narrowed() throws(ShapeError) -> PackedMatrix {
        let width = Int(SN_PANEL)
        let narrow = try panels.narrowed(count: (columns + width - 1) / width, taps: 1, depth: rows)
        return PackedMatrix(rows: rows, columns: columns, panels: narrow)
    }
}
