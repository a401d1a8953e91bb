import TensorCore

/// Products of matrices in the types that no kernel is made for: float64 and the integers, which wrap around.
enum PlainProduct {
    /// `C = op(A) * op(B)`, row-major; each element is summed in the order of `k`.
    ///
    /// - Parameters:
    ///   - transposeA: Whether `a` is stored as `[k, m]`.
    ///   - transposeB: Whether `b` is stored as `[n, k]`.
    ///   - m: Rows of `C`.
    ///   - n: Columns of `C`.
    ///   - k: The inner dimension; with 0, `C` is 0.
    ///   - a: `[m, k]`.
    ///   - lda: The distance between stored rows of `a`.
    ///   - b: `[k, n]`.
    ///   - ldb: The distance between stored rows of `b`.
    ///   - c: `[m, n]`; must not overlap `a` or `b`.
    ///   - ldc: The distance between rows of `c`.
    @inline(__always)
    static func multiply<T: TensorNumber>(
        transposeA: Bool = false,
        transposeB: Bool = false,
        m: Int,
        n: Int,
        k: Int,
        a: UnsafePointer<T>,
        lda: Int,
        b: UnsafePointer<T>,
        ldb: Int,
        c: UnsafeMutablePointer<T>,
        ldc: Int
    ) {
        for row in 0..<m {
            let target = c + row * ldc
            if transposeB {
                for column in 0..<n {
                    let right = b + column * ldb
                    var sum: T = 0
                    for index in 0..<k {
                        let left = transposeA ? a[index * lda + row] : a[row * lda + index]
                        sum = T.sum(sum, T.product(left, right[index]))
                    }
                    target[column] = sum
                }
                continue
            }
            target.update(repeating: 0, count: n)
            for index in 0..<k {
                let left = transposeA ? a[index * lda + row] : a[row * lda + index]
                let right = b + index * ldb
                for column in 0..<n {
                    target[column] = T.sum(target[column], T.product(left, right[column]))
                }
            }
        }
    }
}
