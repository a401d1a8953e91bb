internal import CKernels
internal import TensorCore

/// A packed matrix whose memory is held: of many small products with it, none counts references.
struct HeldMatrix {
    /// The inner dimension k of the product.
    let rows: Int
    /// The number of columns n of the product.
    let columns: Int
    private let panels: UnsafePointer<Float>

    fileprivate init(_ matrix: PackedMatrix, _ panels: UnsafePointer<Float>) {
        rows = matrix.rows
        columns = matrix.columns
        self.panels = panels
    }

    /// `C = A * B`, bit for bit what ``GEMM`` gives.
    ///
    /// - Parameters:
    ///   - count: Rows of `C`, at least 1.
    ///   - a: `[count, rows]`.
    ///   - c: `[count, columns]`; must not overlap `a`.
    ///   - backward: Whether the last columns come first. In turn with the others, such a product finds in the nearest cache what
    ///     the one before it read last.
    /// - Complexity: O(count * rows * columns), no allocation; on ``SpareThreads/current`` as well, if that is enough.
    func multiply(
        rows count: Int,
        _ a: UnsafePointer<Float>,
        into c: UnsafeMutablePointer<Float>,
        backward: Bool
    ) {
        let kernel = backward ? active.multiply_backward : active.multiply
        Parallel.forEach(count, work: rows * columns, multipleOf: GEMM.tileRows) {
            let (a, c) = (a + $0.lowerBound * rows, c + $0.lowerBound * columns)
            kernel?($0.count, columns, rows, 1, a, rows, panels, 0, c, columns, nil, 0)
        }
    }
}

extension PackedMatrix {
    /// Holds the memory of a matrix in float32 for the time of a call.
    ///
    /// - Parameter body: Is not called if the matrix has no elements, or was rounded to bfloat16.
    func hold(_ body: (HeldMatrix) -> Void) {
        guard case .float32(let panels) = panels else { return }
        panels.withElements(of: Float.self) { elements in
            guard let start = elements.baseAddress else { return }
            body(HeldMatrix(self, start))
        }
    }
}
