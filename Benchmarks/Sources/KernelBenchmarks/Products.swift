import COneDNN
import Kernels

/// The library to compare with, on one thread.
private func sgemm(
    _ m: Int,
    _ n: Int,
    _ k: Int,
    _ a: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>
) {
    let (rows, columns, inner) = (Int64(m), Int64(n), Int64(k))
    // 78 is "N": nothing is transposed.
    dnnl_sgemm(78, 78, rows, columns, inner, 1, a, inner, b, columns, 0, c, columns)
}

/// Billions of multiply-adds, each counted twice, a second of `dnnl_sgemm` at its best shape on this core, now.
func peak() -> Double {
    omp_set_num_threads(1)
    let (m, n, k) = (480, 512, 384)
    let (a, b, c) = (buffer(m * k), buffer(k * n), buffer(m * n))
    return 2e-9 * Double(m * n * k) / Measurement { sgemm(m, n, k, a, b, c) }.best
}

/// Prints products of the shapes that models have, ours and oneDNN's.
func products() throws {
    print(
        "\nproducts, us".left(28),
        "packed".right(9),
        "plain".right(9),
        "dnnl_sgemm".right(11),
        "packed/dnnl".right(12)
    )
    for (m, n, k) in [
        (1, 9, 64), (1, 256, 64), (2, 256, 64), (15, 256, 12), (15, 64, 320), (31, 64, 320), (300, 64, 320),
        (300, 128, 640), (1200, 128, 640), (512, 512, 512),
    ] {
        let (a, b, c) = (buffer(m * k), buffer(k * n), buffer(m * n))
        let packed = try PackedMatrix(rows: k, columns: n, from: b, leadingDimension: n)
        let ours = Measurement { GEMM.multiply(m: m, a: a, lda: k, packed, c: c, ldc: n) }.median * 1e6
        let plain = Measurement { GEMM.multiply(m: m, n: n, k: k, a: a, lda: k, b: b, ldb: n, c: c, ldc: n) }
        let theirs = Measurement { sgemm(m, n, k, a, b, c) }.median * 1e6
        print(
            "\(m) x \(n) x \(k)".left(27),
            fixed(ours, 2).right(9),
            fixed(plain.median * 1e6, 2).right(9),
            fixed(theirs, 2).right(11),
            fixed(ours / theirs, 2).right(12)
        )
    }
}
