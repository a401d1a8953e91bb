import Kernels
import Testing

struct GEMMTests {
    /// `alpha * A * B + beta * C` in Double, from logical (untransposed) operands.
    static func oracle(
        m: Int,
        n: Int,
        k: Int,
        alpha: Float,
        a: [Float],
        b: [Float],
        beta: Float,
        c: [Float]
    ) -> [Double] {
        (0..<m * n).map { index in
            let (i, j) = (index / n, index % n)
            var sum = 0.0
            for step in 0..<k { sum += Double(a[i * k + step]) * Double(b[step * n + j]) }
            return Double(alpha) * sum + (beta == 0 ? 0 : Double(beta) * Double(c[index]))
        }
    }

    static func transposed(_ x: [Float], rows: Int, columns: Int) -> [Float] {
        (0..<x.count).map { x[$0 % rows * columns + $0 / rows] }
    }

    @Test(arguments: [false, true], [false, true])
    func `a product agrees with the sum in Double for every small shape`(transposeA: Bool, transposeB: Bool) {
        var numbers = Numbers(seed: 4)
        for (alpha, beta) in [(Float(1), Float(0)), (0.5, 0), (1, 1), (-2, 0.25)] {
            for m in [1, 2, 3, 4, 13, 25, 49] {
                for n in [1, 9, 16, 32, 33, 70, 130] {
                    for k in [0, 1, 7] {
                        let a = numbers.array(m * k)
                        let b = numbers.array(k * n)
                        let before = beta == 0 ? [Float](repeating: .nan, count: m * n) : numbers.array(m * n)
                        var c = before
                        GEMM.multiply(
                            transposeA: transposeA,
                            transposeB: transposeB,
                            m: m,
                            n: n,
                            k: k,
                            alpha: alpha,
                            a: transposeA ? Self.transposed(a, rows: m, columns: k) : a,
                            lda: transposeA ? m : k,
                            b: transposeB ? Self.transposed(b, rows: k, columns: n) : b,
                            ldb: transposeB ? k : n,
                            beta: beta,
                            c: &c,
                            ldc: n
                        )
                        let expected = Self.oracle(
                            m: m,
                            n: n,
                            k: k,
                            alpha: alpha,
                            a: a,
                            b: b,
                            beta: beta,
                            c: before
                        )
                        let worst = zip(c, expected).map { abs(Double($0) - $1) }.max() ?? 0
                        // NaN would not compare as smaller.
                        #expect(worst < 1e-5 && !c.contains { $0.isNaN }, "\(m)x\(n)x\(k): \(worst)")
                    }
                }
            }
        }
    }

    @Test(arguments: [1, 9, 16, 31, 64, 100, 256], [1, 12, 64, 385, 512, 1000])
    func `a row's bits do not depend on the number of rows or on how B is stored`(n: Int, k: Int) throws {
        var numbers = Numbers(seed: UInt64(n * 7919 + k))
        let rows = 70
        let a = numbers.array(rows * k)
        let b = numbers.array(k * n)
        let stored = Self.transposed(b, rows: k, columns: n)
        let packed = try PackedMatrix(rows: k, columns: n, from: b, leadingDimension: n)
        let packedFromTransposed = try PackedMatrix(
            rows: k,
            columns: n,
            from: stored,
            leadingDimension: k,
            transposed: true
        )
        var whole = [Float](repeating: 0, count: rows * n)
        GEMM.multiply(m: rows, a: a, lda: k, packed, c: &whole, ldc: n)
        for m in 1...rows {
            let first = rows - m
            let expected = Array(whole[(first * n)...])
            var c = [Float](repeating: 0, count: m * n)
            a.withUnsafeBufferPointer { a in
                guard let base = a.baseAddress else { return }
                let start = base + first * k
                GEMM.multiply(m: m, n: n, k: k, a: start, lda: k, b: b, ldb: n, c: &c, ldc: n)
                #expect(c.hasBits(of: expected), "plain, \(m) rows")
                GEMM.multiply(m: m, a: start, lda: k, packed, c: &c, ldc: n)
                #expect(c.hasBits(of: expected), "packed, \(m) rows")
                guard m % 9 == 1 else { return }
                GEMM.multiply(
                    transposeB: true,
                    m: m,
                    n: n,
                    k: k,
                    a: start,
                    lda: k,
                    b: stored,
                    ldb: k,
                    c: &c,
                    ldc: n
                )
                #expect(c.hasBits(of: expected), "transposed, \(m) rows")
                GEMM.multiply(m: m, a: start, lda: k, packedFromTransposed, c: &c, ldc: n)
                #expect(c.hasBits(of: expected), "packed from transposed, \(m) rows")
            }
        }
    }

    @Test func `nothing between the rows is touched`() {
        var numbers = Numbers(seed: 5)
        let (m, n, k, lda, ldb, ldc) = (5, 37, 6, 9, 40, 45)
        let a = numbers.array(m * lda)
        let b = numbers.array(k * ldb)
        var c = [Float](repeating: 3, count: m * ldc)
        GEMM.multiply(m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb, c: &c, ldc: ldc)
        for row in 0..<m {
            #expect(c[(row * ldc + n)..<(row * ldc + ldc)].allSatisfy { $0 == 3 })
        }
    }

    @Test func `a batch is its products one by one`() {
        var numbers = Numbers(seed: 6)
        let (count, m, n, k) = (4, 3, 20, 11)
        let a = numbers.array(count * m * k)
        let b = numbers.array(count * k * n)
        for (aDistance, bDistance) in [(m * k, k * n), (m * k, 0), (0, k * n), (0, 0)] {
            var together = [Float](repeating: 0, count: count * m * n)
            GEMM.multiplyBatch(
                count: count,
                m: m,
                n: n,
                k: k,
                a: a,
                aDistance: aDistance,
                b: b,
                bDistance: bDistance,
                c: &together
            )
            for index in 0..<count {
                var one = [Float](repeating: 0, count: m * n)
                GEMM.multiply(
                    m: m,
                    n: n,
                    k: k,
                    a: Array(a[(index * aDistance)...]),
                    lda: k,
                    b: Array(b[(index * bDistance)...]),
                    ldb: n,
                    c: &one,
                    ldc: n
                )
                #expect(Array(together[(index * m * n)..<((index + 1) * m * n)]).bits == one.bits)
            }
        }
    }

    @Test func `an epilogue equals its steps done afterwards`() throws {
        var numbers = Numbers(seed: 7)
        let (m, n, k) = (17, 45, 12)
        let a = numbers.array(m * k)
        let b = numbers.array(k * n)
        let (scale, bias) = (numbers.array(n), numbers.array(n))
        let (mask, residual) = (numbers.array(m), numbers.array(m * n))
        let packed = try PackedMatrix(rows: k, columns: n, from: b, leadingDimension: n)
        var plain = [Float](repeating: 0, count: m * n)
        var fused = residual
        GEMM.multiply(m: m, a: a, lda: k, packed, c: &plain, ldc: n)
        scale.withUnsafeBufferPointer { scale in
            bias.withUnsafeBufferPointer { bias in
                mask.withUnsafeBufferPointer { mask in
                    fused.withUnsafeMutableBufferPointer { fused in
                        guard let base = fused.baseAddress else { return }
                        // The residual is the output itself.
                        let epilogue = Epilogue(
                            scale: scale.baseAddress,
                            bias: bias.baseAddress,
                            activation: .gelu,
                            mask: mask.baseAddress,
                            residual: UnsafePointer(base)
                        )
                        GEMM.multiply(m: m, a: a, lda: k, packed, c: base, ldc: n, epilogue: epilogue)
                    }
                }
            }
        }
        var after = plain
        for index in after.indices { after[index] = plain[index].addingProduct(0, 0) }
        scale.withUnsafeBufferPointer { scale in
            bias.withUnsafeBufferPointer { bias in
                mask.withUnsafeBufferPointer { mask in
                    residual.withUnsafeBufferPointer { residual in
                        let epilogue = Epilogue(
                            scale: scale.baseAddress,
                            bias: bias.baseAddress,
                            activation: .gelu,
                            mask: mask.baseAddress,
                            residual: residual.baseAddress
                        )
                        Affine.rows(epilogue, plain, into: &after, rows: m, channels: n)
                    }
                }
            }
        }
        #expect(fused.bits == after.bits)
    }
}
