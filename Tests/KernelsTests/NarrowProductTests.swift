import CKernels
import Kernels
import TensorCore
import Testing

/// Products of bfloat16, with every instruction set that this machine can run.
struct NarrowProductTests {
    private static let sets = InstructionSetTests.available

    private func kernels(_ set: InstructionSet) throws -> sn_kernels {
        try #require(sn_kernels_for(Int32(set.rawValue))).pointee
    }

    /// As products round: what is below the normal range is zero.
    private func expected(_ x: Float) -> UInt16 {
        x.magnitude < .leastNormalMagnitude ? (x.sign == .minus ? 0x8000 : 0) : BFloat16(x).bitPattern
    }

    // MARK: Rounding

    @Test(arguments: sets)
    func `numbers go to the nearest, halves to even, with all their special cases`(set: InstructionSet) throws
    {
        let table = try kernels(set)
        // Every sign, exponent and upper significand, with lower halves below, at and above the middle.
        var x: [Float] = edgeValues
        for upper in UInt32(0)...0xFFFF {
            for lower in [UInt32(0), 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
                x.append(Float(bitPattern: upper << 16 | lower))
            }
        }
        var y = [UInt16](repeating: 0, count: x.count)
        table.narrow.round(x.count, x, &y)
        var wrong = 0
        for index in x.indices where y[index] != expected(x[index]) { wrong += 1 }
        #expect(wrong == 0)
    }

    @Test(arguments: sets)
    func `rounding a row of any length writes that row alone`(set: InstructionSet) throws {
        let table = try kernels(set)
        var numbers = Numbers(seed: 31)
        for count in 0...100 {
            let x = numbers.array(count)
            var y = [UInt16](repeating: 7, count: count + 1)
            table.narrow.round(count, x, &y)
            #expect(y == x.map { expected($0) } + [7])
        }
    }

    // MARK: Products

    @Test(arguments: sets)
    func `products agree with sums in Double of rounded operands for every small shape`(set: InstructionSet)
        throws
    {
        var numbers = Numbers(seed: 32)
        let most = 40
        for k in 1...most {
            let a = numbers.array(most * k)
            let left = NarrowOperands.rounded(a)
            for n in 1...most {
                let b = try NarrowOperands(set, depth: k, columns: n, numbers.array(k * n))
                let all = b.product(a, rows: most)
                // Every entry at one size of the inner dimension in four, one row at the others.
                for i in k % 4 == 1 ? 0..<most : (n % most)..<(n % most + 1) {
                    for j in 0..<n {
                        var (sum, size) = (0.0, 0.0)
                        for step in 0..<k {
                            let term = left[i * k + step] * b.rounded[step * n + j]
                            sum += term
                            size += abs(term)
                        }
                        let limit = NarrowOperands.tolerance(terms: k, size: size)
                        let isNear = abs(Double(all[i * n + j]) - sum) <= limit
                        if !isNear { Issue.record("\(n) columns, \(k) deep: (\(i), \(j))") }
                    }
                }
                for m in 1..<most {
                    let some = b.product(Array(a[..<(m * k)]), rows: m)
                    #expect(some.hasBits(of: Array(all[..<(m * n)])), "\(m) of \(most), \(n), \(k)")
                }
            }
        }
    }

    @Test(arguments: sets)
    func `deep products are as near as their depth allows`(set: InstructionSet) throws {
        var numbers = Numbers(seed: 33)
        for (m, n, k) in [(33, 70, 256), (5, 33, 1000), (17, 100, 4097), (130, 9, 512)] {
            let a = numbers.array(m * k)
            let left = NarrowOperands.rounded(a)
            let b = try NarrowOperands(set, depth: k, columns: n, numbers.array(k * n))
            let c = b.product(a, rows: m)
            for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3), (1, n - 2)] {
                var (sum, size) = (0.0, 0.0)
                for step in 0..<k {
                    let term = left[i * k + step] * b.rounded[step * n + j]
                    sum += term
                    size += abs(term)
                }
                #expect(
                    abs(Double(c[i * n + j]) - sum) <= NarrowOperands.tolerance(terms: k, size: size),
                    "\(m) \(n) \(k)"
                )
            }
        }
    }

    // MARK: Laws

    @Test(arguments: sets)
    func `a row has the same bits alone, first, last and anywhere in 64`(set: InstructionSet) throws {
        var numbers = Numbers(seed: 34)
        for (n, k) in [(1, 3), (33, 70), (128, 640), (40, 2048)] {
            let b = try NarrowOperands(set, depth: k, columns: n, numbers.array(k * n))
            let mine = numbers.array(k)
            let alone = b.product(mine, rows: 1)
            for rows in [2, 15, 16, 17, 32, 33, 64] {
                for place in Set([0, rows / 2, rows - 1]) {
                    var a = numbers.array(rows * k)
                    a.replaceSubrange((place * k)..<((place + 1) * k), with: mine)
                    let c = b.product(a, rows: rows)
                    #expect(
                        Array(c[(place * n)..<((place + 1) * n)]).hasBits(of: alone),
                        "\(place) of \(rows)"
                    )
                }
            }
        }
    }

    @Test(
        arguments: sets,
        [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
    )
    func `rows that are no numbers change no other row`(set: InstructionSet, bad: Float) throws {
        var numbers = Numbers(seed: 35)
        let (n, k) = (45, 70)
        let b = try NarrowOperands(set, depth: k, columns: n, numbers.array(k * n))
        for rows in [2, 16, 31, 33] {
            var a = numbers.array(rows * k)
            let clean = b.product(a, rows: rows)
            for row in stride(from: 0, to: rows, by: 2) {
                for column in 0..<k { a[row * k + column] = bad }
            }
            let c = b.product(a, rows: rows)
            for row in stride(from: 1, to: rows, by: 2) {
                let (mine, theirs) = (c[(row * n)..<((row + 1) * n)], clean[(row * n)..<((row + 1) * n)])
                #expect(Array(mine).hasBits(of: Array(theirs)))
            }
        }
    }

    @Test(arguments: sets)
    func `infinities and NaN do what they do in float32, and zeros behind the depth do nothing`(
        set: InstructionSet
    ) throws {
        let k = 33
        let b = try NarrowOperands(set, depth: k, columns: 3, [Float](repeating: 2, count: 3 * k))
        var a = [Float](repeating: 1, count: 4 * k)
        a[5] = .infinity
        a[k + 6] = -.infinity
        a[2 * k + 7] = .nan
        a[3 * k + 1] = .infinity
        a[3 * k + 2] = -.infinity
        let c = b.product(a, rows: 4)
        #expect(c[0..<3].allSatisfy { $0 == .infinity })
        #expect(c[3..<6].allSatisfy { $0 == -.infinity })
        #expect(c[6...].allSatisfy { $0.isNaN })
        // What the format cannot hold rounds to infinity.
        a = [Float](repeating: 0, count: k)
        a[0] = .greatestFiniteMagnitude
        #expect(b.product(a, rows: 1).allSatisfy { $0 == .infinity })
    }

    @Test(arguments: sets)
    func `an epilogue equals its steps done afterwards`(set: InstructionSet) throws {
        var numbers = Numbers(seed: 36)
        let (m, n, k, lda) = (37, 45, 12, 19)
        let b = try NarrowOperands(set, depth: k, columns: n, numbers.array(k * n))
        let a = numbers.array(m * lda)
        let (scale, bias, mask) = (numbers.array(n), numbers.array(n), numbers.array(m))
        let before = numbers.array(m * n)
        for (alpha, beta) in [(Float(1), Float(0)), (-0.5, 0), (1, 1), (2, 0.25)] {
            let plain = b.product(a, lda: lda, rows: m, alpha: alpha, beta: beta, before, nil)
            scale.withUnsafeBufferPointer { scale in
                bias.withUnsafeBufferPointer { bias in
                    mask.withUnsafeBufferPointer { mask in
                        before.withUnsafeBufferPointer { residual in
                            var epilogue = sn_epilogue(
                                scale: scale.baseAddress,
                                bias: bias.baseAddress,
                                mask: mask.baseAddress,
                                residual: residual.baseAddress,
                                activation: UnaryOperation.relu.rawValue
                            )
                            let fused = b.product(
                                a,
                                lda: lda,
                                rows: m,
                                alpha: alpha,
                                beta: beta,
                                before,
                                &epilogue
                            )
                            var after = plain
                            b.kernels.epilogue(&epilogue, true, m, n, plain, n, &after, n)
                            #expect(fused.bits == after.bits)
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: sets, [1, 2, 3, 8])
    func `any number of threads gives the same bits`(set: InstructionSet, threads: Int) async throws {
        var numbers = Numbers(seed: 37)
        let (m, n, k) = (96, 70, 200)
        let b = try NarrowOperands(set, depth: k, columns: n, numbers.array(k * n))
        let a = numbers.array(m * k)
        let whole = b.product(a, rows: m)
        let parts = await withTaskGroup(of: (Int, [Float]).self) { group in
            for thread in 0..<threads {
                group.addTask {
                    let rows = (m * thread / threads)..<(m * (thread + 1) / threads)
                    var part: [Float] = []
                    for _ in 0..<20 {
                        part = b.product(
                            Array(a[(rows.lowerBound * k)..<(rows.upperBound * k)]),
                            rows: rows.count
                        )
                    }
                    return (thread, part)
                }
            }
            return await group.reduce(into: [Int: [Float]]()) { $0[$1.0] = $1.1 }
        }
        #expect((0..<threads).flatMap { parts[$0] ?? [] }.hasBits(of: whole))
    }
}
