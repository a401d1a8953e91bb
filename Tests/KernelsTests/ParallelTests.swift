import Synchronization
import TensorCore
import Testing

@testable import Kernels

/// Work that is shared between threads: each row once, the same bits.
struct ParallelTests {
    private static let teams = [1, 2, 3, 8]

    /// What the body gives when as many threads as `team` may share the smallest pieces of it.
    private func shared<R>(_ team: Int, _ body: () throws -> R) rethrows -> R {
        try SpareThreads.$current.withValue(SpareThreads(team - 1, grain: 1), operation: body)
    }

    @Test(arguments: teams)
    func `every row is done once, in ranges that begin at multiples of the unit`(team: Int) {
        for count in Array(0...40) + [1000, 4097] {
            for unit in [1, 5, 12, 64] {
                let misplaced = Atomic(0)
                var done = [Int](repeating: 0, count: count)
                done.withUnsafeMutableBufferPointer { done in
                    shared(team) {
                        Parallel.forEach(count, work: 1 << 20, multipleOf: unit) { rows in
                            for row in rows { done[row] += 1 }
                            if rows.lowerBound % unit != 0 { misplaced.add(1, ordering: .relaxed) }
                        }
                    }
                }
                #expect(done == [Int](repeating: 1, count: count))
                #expect(misplaced.load(ordering: .relaxed) == 0)
            }
        }
    }

    @Test func `what is too little for two, or finds no thread, is one range`() {
        func ranges(_ threads: SpareThreads?, work: Int) -> Int {
            let ranges = Atomic(0)
            SpareThreads.$current.withValue(threads) {
                Parallel.forEach(1000, work: work) { _ in ranges.add(1, ordering: .relaxed) }
            }
            return ranges.load(ordering: .relaxed)
        }
        #expect(ranges(nil, work: .max) == 1)
        #expect(ranges(SpareThreads(0), work: .max) == 1)
        #expect(ranges(SpareThreads(7, grain: 1 << 20), work: 2000) == 1)
        #expect(ranges(SpareThreads(7, grain: 1 << 20), work: 2200) == 2)
        #expect(ranges(SpareThreads(7, grain: 1), work: 1) == 1)
        #expect(ranges(SpareThreads(7), work: .max) > 1)
    }

    @Test func `threads are given back, also by work inside of shared work`() {
        let threads = SpareThreads(3, grain: 1)
        let calls = Atomic(0)
        SpareThreads.$current.withValue(threads) {
            for _ in 0..<50 {
                Parallel.forEach(16, work: 1 << 20) { outer in
                    for _ in outer {
                        Parallel.forEach(16, work: 1 << 20) { calls.add($0.count, ordering: .relaxed) }
                    }
                }
            }
        }
        #expect(calls.load(ordering: .relaxed) == 50 * 16 * 16)
        #expect(threads.take(10) == 3)
        #expect(threads.take(1) == 0)
    }

    @Test func `no more threads are taken than have nothing to do`() {
        let threads = SpareThreads(2)
        threads.occupy()
        #expect(threads.take(5) == 1)
        threads.occupy()
        #expect(threads.isOverdrawn)
        for _ in 0..<3 { threads.release() }
        #expect(!threads.isOverdrawn)
        #expect(threads.take(5) == 2)
    }

    @Test func `rows that are left when others need the threads are still done`() {
        let threads = SpareThreads(7, grain: 1)
        let done = Atomic(0)
        SpareThreads.$current.withValue(threads) {
            Parallel.forEach(1000, work: 1 << 20) {
                threads.occupy()
                done.add($0.count, ordering: .relaxed)
            }
        }
        #expect(done.load(ordering: .relaxed) == 1000)
    }

    @Test func `helpers that fell asleep are woken, and those that are awake take the next call`() {
        let threads = HelperThreads()
        let calls = Atomic(0)
        let clock = ContinuousClock()
        for round in 0..<200 {
            threads.run(on: 3) { if $0 { calls.add(1, ordering: .relaxed) } }
            // Longer than they stay awake, and not at all.
            let end = clock.now + .microseconds(round % 2 * 300)
            while clock.now < end {}
        }
        #expect(calls.load(ordering: .relaxed) == 600)
    }

    @Test func `calls for threads that the system does not give are made by the caller`() {
        let threads = HelperThreads { _ in nil }
        var calls = (helpers: 0, own: 0)
        threads.run(on: 3) { if $0 { calls.helpers += 1 } else { calls.own += 1 } }
        #expect(calls == (3, 1))
    }

    @Test func `what a helper wrote is seen by the caller`() {
        let threads = HelperThreads()
        for round in 0..<1000 {
            var written = [0, 0]
            written.withUnsafeMutableBufferPointer { written in
                threads.run(on: 1) { written[$0 ? 1 : 0] = round }
            }
            #expect(written == [round, round])
        }
    }

    private func same(_ name: String, count: Int, _ compute: (UnsafeMutablePointer<Float>) -> Void) {
        func result(_ team: Int) -> [Float] {
            var y = [Float](repeating: .nan, count: count)
            y.withUnsafeMutableBufferPointer { y in
                guard let y = y.baseAddress else { return }
                shared(team) { compute(y) }
            }
            return y
        }
        let alone = result(1)
        #expect(!alone.contains { $0.isNaN })
        for team in Self.teams.dropFirst() {
            #expect(result(team).hasBits(of: alone), "\(name) on \(team) threads")
        }
    }

    @Test(arguments: [1, 11, 12, 13, 100, 257])
    func `products have the same bits on any number of threads`(rows: Int) throws {
        var numbers = Numbers(seed: 3)
        for (k, n) in [(64, 96), (300, 33)] {
            let a = numbers.array(rows * k)
            let (bias, mask) = (numbers.array(n), numbers.array(rows))
            let residual = numbers.array(rows * n)
            let matrix = try PackedMatrix(
                rows: k,
                columns: n,
                from: numbers.array(k * n),
                leadingDimension: n
            )
            for matrix in [matrix, try matrix.narrowed()] {
                withEpilogue(.gelu, bias: bias, mask: mask, residual: residual) { epilogue in
                    same("product \(rows) \(k) \(n)", count: rows * n) {
                        GEMM.multiply(m: rows, a: a, lda: k, matrix, c: $0, ldc: n, epilogue: epilogue)
                    }
                }
            }
        }
    }

    @Test func `element by element and row by row, bits are the same on any number of threads`() {
        var numbers = Numbers(seed: 4)
        for (rows, columns) in [(1, 9000), (130, 100), (3000, 7)] {
            let count = rows * columns
            let (a, b) = (numbers.array(count), numbers.array(count))
            let (scale, bias) = (numbers.array(columns), numbers.array(columns))
            same("tanh", count: count) { Elementwise.apply(.tanh, to: a, into: $0, count: count) }
            same("add", count: count) { Elementwise.apply(.add, a, b, into: $0, count: count) }
            same("softmax", count: count) { Softmax.apply(a, into: $0, outer: rows, axis: columns) }
            same("layer normalization", count: count) {
                LayerNormalization.apply(
                    a,
                    into: $0,
                    rows: rows,
                    columns: columns,
                    epsilon: 1e-5,
                    scale: scale,
                    bias: bias
                )
            }
            withEpilogue(.silu, bias: bias, mask: numbers.array(rows), residual: b) { epilogue in
                same("affine", count: count) {
                    Affine.rows(epilogue, a, into: $0, rows: rows, channels: columns)
                }
            }
        }
    }

    @Test(arguments: [1, 2, 3], [1, 2, 5, 40])
    func `a part of a convolution has the bits of the whole`(stride: Int, dilation: Int) throws {
        var numbers = Numbers(seed: 5)
        for (c, n, groups) in [(1, 1, 1), (3, 5, 1), (12, 33, 1), (4, 6, 2), (20, 40, 2)] {
            for (kernel, begin, end) in [(1, 0, 0), (2, 2, 3), (5, 90, 7)] {
                let g = try Convolution1DTests.geometry(
                    c,
                    n,
                    kernel,
                    stride: stride,
                    dilation: dilation,
                    groups: groups,
                    begin,
                    end
                )
                let packed = try PackedConvolution1D(g, weights: numbers.array(g.weightCount))
                let bias = numbers.array(n)
                for convolution in [packed, try packed.narrowed()] {
                    for length in [1, 17, 50] {
                        try check(convolution, numbers.array(c * length), length, bias, &numbers)
                    }
                }
            }
        }
    }

    private func check(
        _ convolution: PackedConvolution1D,
        _ x: [Float],
        _ length: Int,
        _ bias: [Float],
        _ numbers: inout Numbers
    ) throws {
        let count = convolution.geometry.outputLength(length)
        let size = count * convolution.geometry.outputChannels
        guard count > 0 else { return }
        let (mask, residual) = (numbers.array(count), numbers.array(size))
        var (whole, parts) = ([Float](repeating: .nan, count: size), [Float](repeating: .nan, count: size))
        withEpilogue(.relu, bias: bias, mask: mask, residual: residual) { epilogue in
            convolution.rows(x, length: length, into: &whole, epilogue: epilogue)
            for start in stride(from: 0, to: count, by: 7) {
                let part = start..<min(start + 7, count)
                convolution.rows(x, length: length, positions: part, into: &parts, epilogue: epilogue)
            }
        }
        #expect(parts.hasBits(of: whole), "\(convolution.geometry) \(length)")
    }

    private func withEpilogue(
        _ activation: UnaryOperation,
        bias: [Float],
        mask: [Float],
        residual: [Float],
        _ body: (Epilogue) -> Void
    ) {
        bias.withUnsafeBufferPointer { bias in
            mask.withUnsafeBufferPointer { mask in
                residual.withUnsafeBufferPointer { residual in
                    body(
                        Epilogue(
                            bias: bias.baseAddress,
                            activation: activation,
                            mask: mask.baseAddress,
                            residual: residual.baseAddress
                        )
                    )
                }
            }
        }
    }
}
