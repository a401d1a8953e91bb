internal import CKernels
internal import TensorCore

/// Products of matrices in float32; with a matrix that is rounded to bfloat16, of rounded operands.
///
/// The bits of a row of the result depend on that row of `A` and on `B` alone: never on the number of rows, on their
/// order, on `lda` or `ldc`, or on whether `B` was packed before.
public enum GEMM {
    /// Up to this many rows, packing `B` for a single product costs more than it saves.
    private static let rowsWorthPacking = 48
    /// The most rows of a tile in any instruction set.
    static let tileRows = 12

    /// `C = alpha * op(A) * op(B) + beta * C`, row-major.
    ///
    /// - Parameters:
    ///   - transposeA: Whether `a` is stored as `[k, m]`.
    ///   - transposeB: Whether `b` is stored as `[n, k]`.
    ///   - m: Rows of `C`.
    ///   - n: Columns of `C`.
    ///   - k: The inner dimension; with 0, `C = beta * C`.
    ///   - alpha: A factor.
    ///   - a: `[m, k]`.
    ///   - lda: The distance between stored rows of `a`.
    ///   - b: `[k, n]`.
    ///   - ldb: The distance between stored rows of `b`.
    ///   - beta: The factor of what stands in `C`; with 0, `C` is not read.
    ///   - c: `[m, n]`; must not overlap `a` or `b`.
    ///   - ldc: The distance between rows of `c`.
    /// - Complexity: O(m*n*k); scratch for a packed copy of `b`, and of `a` if that is transposed.
    public static func multiply(
        transposeA: Bool = false,
        transposeB: Bool = false,
        m: Int,
        n: Int,
        k: Int,
        alpha: Float = 1,
        a: UnsafePointer<Float>,
        lda: Int,
        b: UnsafePointer<Float>,
        ldb: Int,
        beta: Float = 0,
        c: UnsafeMutablePointer<Float>,
        ldc: Int
    ) {
        guard m > 0, n > 0 else { return }
        let width = Int(SN_PANEL)
        if m <= rowsWorthPacking && !transposeA && !transposeB {
            withScratch(k * width) { scratch in
                active.multiply_unpacked(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, scratch)
            }
            return
        }
        let panelCount = (n + width - 1) / width * width * k
        withScratch(panelCount) { panels in
            active.pack(k, n, b, transposeB ? 1 : ldb, transposeB ? ldb : 1, panels)
            guard transposeA else {
                active.multiply(m, n, k, alpha, a, lda, panels, beta, c, ldc, nil, 0)
                return
            }
            withScratch(m * k) { rows in
                for row in 0..<m {
                    for column in 0..<k { rows[row * k + column] = a[column * lda + row] }
                }
                active.multiply(m, n, k, alpha, rows, k, panels, beta, c, ldc, nil, 0)
            }
        }
    }

    /// `C = alpha * A * B + beta * C` with `B` packed before, then the epilogue (channels are the columns).
    ///
    /// - Parameters:
    ///   - m: Rows of `C`.
    ///   - alpha: A factor.
    ///   - a: `[m, k]`.
    ///   - lda: The distance between rows of `a`.
    ///   - b: `[k, n]`.
    ///   - beta: The factor of what stands in `C`; with 0, `C` is not read.
    ///   - c: `[m, n]`; must not overlap `a`.
    ///   - ldc: The distance between rows of `c`.
    ///   - epilogue: What is done to the result; scale and bias `[n]`, mask `[m]`, residual `[m, n]`.
    /// - Complexity: O(m*n*k), no allocation; on ``SpareThreads/current`` as well, if that is enough.
    public static func multiply(
        m: Int,
        alpha: Float = 1,
        a: UnsafePointer<Float>,
        lda: Int,
        _ b: PackedMatrix,
        beta: Float = 0,
        c: UnsafeMutablePointer<Float>,
        ldc: Int,
        epilogue: Epilogue? = nil
    ) {
        guard m > 0, b.columns > 0 else { return }
        Parallel.forEach(m, work: b.rows * b.columns, multipleOf: tileRows) { rows in
            let first = rows.lowerBound
            let (a, c) = (a + first * lda, c + first * ldc)
            guard var native = epilogue?.native(fromRow: first, columns: b.columns) else {
                return multiply(rows.count, alpha, a, lda, b, beta, c, ldc, nil)
            }
            multiply(rows.count, alpha, a, lda, b, beta, c, ldc, &native)
        }
    }

    private static func multiply(
        _ m: Int,
        _ alpha: Float,
        _ a: UnsafePointer<Float>,
        _ lda: Int,
        _ b: PackedMatrix,
        _ beta: Float,
        _ c: UnsafeMutablePointer<Float>,
        _ ldc: Int,
        _ epilogue: UnsafePointer<sn_epilogue>?
    ) {
        let (k, n) = (b.rows, b.columns)
        switch b.panels {
        case .float32(let panels):
            panels.withElements(of: Float.self) { panels in
                guard let start = panels.baseAddress else { return }
                active.multiply(m, n, k, alpha, a, lda, start, beta, c, ldc, epilogue, n)
            }
        case .bfloat16(let panels):
            panels.withElements(of: UInt16.self) { panels in
                guard let start = panels.baseAddress else { return }
                active.narrow.multiply(m, n, k, alpha, a, lda, start, beta, c, ldc, epilogue, n)
            }
        }
    }

    /// `count` products of equal size over operands at fixed distances; distance 0 shares an operand.
    ///
    /// - Parameters:
    ///   - count: The number of products.
    ///   - transposeA: Whether each `A` is stored as `[k, m]`.
    ///   - transposeB: Whether each `B` is stored as `[n, k]`.
    ///   - m: Rows of each `C`.
    ///   - n: Columns of each `C`.
    ///   - k: The inner dimension.
    ///   - alpha: A factor.
    ///   - a: The first `A`, dense.
    ///   - aDistance: Elements from one `A` to the next.
    ///   - b: The first `B`, dense.
    ///   - bDistance: Elements from one `B` to the next.
    ///   - c: The first `C`, dense; the products follow each other.
    /// - Complexity: O(count*m*n*k).
    public static func multiplyBatch(
        count: Int,
        transposeA: Bool = false,
        transposeB: Bool = false,
        m: Int,
        n: Int,
        k: Int,
        alpha: Float = 1,
        a: UnsafePointer<Float>,
        aDistance: Int,
        b: UnsafePointer<Float>,
        bDistance: Int,
        c: UnsafeMutablePointer<Float>
    ) {
        // One B for all and rows that follow each other are one product with more rows.
        if bDistance == 0 && !transposeA && aDistance == m * k && count > 1 {
            multiply(
                transposeB: transposeB,
                m: count * m,
                n: n,
                k: k,
                alpha: alpha,
                a: a,
                lda: k,
                b: b,
                ldb: transposeB ? k : n,
                c: c,
                ldc: n
            )
            return
        }
        for index in 0..<count {
            multiply(
                transposeA: transposeA,
                transposeB: transposeB,
                m: m,
                n: n,
                k: k,
                alpha: alpha,
                a: a + index * aDistance,
                lda: transposeA ? m : k,
                b: b + index * bDistance,
                ldb: transposeB ? k : n,
                c: c + index * m * n,
                ldc: n
            )
        }
    }
}
