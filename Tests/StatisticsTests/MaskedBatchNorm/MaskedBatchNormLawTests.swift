import Statistics
import TensorCore
import TestSupport
import Testing

struct MaskedBatchNormLawTests {
    static let rounding = Tolerance.close(
        absolute: 1e-12,
        relative: 1e-12,
        because: "rounding of Double sums"
    )
    static let outputs = Tolerance.close(absolute: 1e-6, relative: 1e-6, because: "y is stored as float32")

    private func norm(_ channels: Int) throws -> MaskedBatchNorm {
        try MaskedBatchNorm(
            channels: channels,
            scale: (0..<channels).map { 0.5 + Float($0) },
            bias: (0..<channels).map { 0.25 * Float($0) },
            running: .pytorch(.pytorchMomentum(0.1))
        )
    }

    @Test func `every small shape and mask agrees with the oracle`() throws {
        var random = RandomBatch(seed: 1)
        for (batch, channels, length) in [(1, 1, 5), (2, 2, 3), (3, 1, 2), (1, 3, 4), (6, 2, 1), (2, 1, 4)] {
            let x = try random.input(batch, channels, length)
            for bits in 1..<(1 << (batch * length)) {
                let mask = (0..<(batch * length)).map { bits >> $0 & 1 == 1 }
                var norm = try MaskedBatchNorm(channels: channels, running: nil)
                let result = try norm.train(
                    random.spoiled(x, where: mask),
                    mask: .positions(mask, batch: batch, length: length)
                )
                let oracle = Oracle(x, mask: mask)
                #expect(result.moments.count == oracle.count)
                #expect(Self.rounding.firstDifference(result.moments.mean, oracle.mean) == nil)
                let variance = try result.moments.variance(divisor: .count)
                #expect(Self.rounding.firstDifference(variance, oracle.variance) == nil)
                #expect(Self.outputs.firstDifference(result.output.doubles, oracle.normalized()) == nil)
            }
        }
    }

    @Test(arguments: [1, 15, 16, 17, 33, 100, 700])
    func `lengths around the vectors' agree with the oracle`(length: Int) throws {
        var random = RandomBatch(seed: UInt64(length))
        let x = try random.input(9, 5, length)
        for mask in [
            random.mask(9, length), (0..<(9 * length)).map { $0 % length <= $0 / length * length / 8 },
        ] {
            var norm = try norm(5)
            let result = try norm.train(x, mask: .positions(mask, batch: 9, length: length))
            let oracle = Oracle(x, mask: mask)
            #expect(Self.rounding.firstDifference(result.moments.mean, oracle.mean) == nil)
            let variance = try result.moments.variance(divisor: .count)
            #expect(Self.rounding.firstDifference(variance, oracle.variance) == nil)
            let expected = oracle.normalized(scale: norm.scale, bias: norm.bias)
            #expect(Self.outputs.firstDifference(result.output.doubles, expected) == nil)
        }
    }

    @Test(arguments: [nil, 1, 7, 40] as [Int?])
    func `what stands at padding changes no bit`(length: Int?) throws {
        var random = RandomBatch(seed: 2)
        let (batch, positions) = (12, length ?? 1)
        for _ in 0..<20 {
            let x = try random.input(batch, 3, length)
            let bits = random.mask(batch, positions)
            let mask = try MaskedBatchNorm.Mask.positions(bits, batch: batch, length: length)
            let other = random.spoiled(x, where: bits)
            var (a, b) = (try norm(3), try norm(3))
            let (first, second) = (try a.train(x, mask: mask), try b.train(other, mask: mask))
            #expect(first.output == second.output)
            #expect(first.moments == second.moments)
            #expect(a == b)
            #expect(try a.evaluate(x, mask: mask) == b.evaluate(other, mask: mask))
        }
    }

    @Test func `the length of the padding changes no bit`() throws {
        var random = RandomBatch(seed: 3)
        let lengths = [5, 0, 31, 16, 1]
        let x = try random.input(5, 4, 31)
        var short = try norm(4)
        let expected = try short.train(x, mask: .lengths(SequenceMask(lengths: lengths)))
        for padded in [32, 47, 100] {
            var longer = try random.input(5, 4, padded)
            longer.withMutableElements(of: Float.self) { target in
                x.withElements(of: Float.self) { source in
                    for row in 0..<20 { for t in 0..<31 { target[row * padded + t] = source[row * 31 + t] } }
                }
            }
            var long = try norm(4)
            let result = try long.train(longer, mask: .lengths(SequenceMask(lengths: lengths)))
            #expect(result.moments == expected.moments)
            #expect(long == short)
            let (y, cut) = (result.output.array(of: Float.self), expected.output.array(of: Float.self))
            for row in 0..<20 {
                #expect(Array(y[(row * padded)...].prefix(31)) == Array(cut[(row * 31)...].prefix(31)))
                #expect(y[(row * padded)...].prefix(padded).dropFirst(31).allSatisfy { $0.bitPattern == 0 })
            }
        }
    }

    @Test func `where the valid positions of a sequence stand changes no bit`() throws {
        var random = RandomBatch(seed: 4)
        let (batch, channels, length) = (6, 3, 50)
        let mask = random.mask(batch, length)
        let x = try random.input(batch, channels, length)
        let counts = (0..<batch).map { row in mask[(row * length)..<((row + 1) * length)].count { $0 } }
        var compact = Tensor(repeating: Float.nan, shape: x.shape)
        let values = x.array(of: Float.self)
        compact.withMutableElements(of: Float.self) { elements in
            for row in 0..<(batch * channels) {
                let places = (0..<length).filter { mask[row / channels * length + $0] }
                for (to, from) in places.enumerated() {
                    elements[row * length + to] = values[row * length + from]
                }
            }
        }
        let norm = try norm(channels)
        let holes = try norm.moments(of: x, mask: .positions(mask, batch: batch, length: length))
        #expect(try holes == norm.moments(of: compact, mask: .lengths(SequenceMask(lengths: counts))))
    }

    @Test func `all forms of a mask mean the same`() throws {
        var random = RandomBatch(seed: 5)
        let mask = SequenceMask(lengths: [3, 9, 0, 12])
        let x = try random.input(4, 2, 12)
        var norm = try norm(2)
        let expected = try norm.train(x, mask: .lengths(mask)).output
        let ones = try mask.tensor(elementType: .int64).array(of: Int64.self)
        let shape = try Shape(checking: [4, 1, 12])
        let forms = [
            try mask.tensor(elementType: .float32), try mask.tensor(elementType: .bool),
            try Tensor(ones.map(Double.init), shape: shape), try Tensor(ones, shape: shape),
            try Tensor(ones.map { Int8($0) }, shape: shape), try Tensor(ones.map { Int16($0) }, shape: shape),
            try Tensor(ones.map { Int32($0) }, shape: shape),
            try Tensor(ones.map { UInt8($0) }, shape: shape),
            try Tensor(ones.map { UInt16($0) }, shape: shape),
            try Tensor(ones.map { UInt32($0) }, shape: shape),
            try Tensor(ones.map { UInt64($0) }, shape: shape),
            try Tensor(ones.map { $0 == 0 ? -0.0 : 1 as Float }, shape: shape),
        ]
        for form in forms { #expect(try norm.train(x, mask: .tensor(form)).output == expected) }
    }

    @Test func `a mask of ones gives plain batch norm`() throws {
        var random = RandomBatch(seed: 6)
        for length in [nil, 1, 13, 64] as [Int?] {
            let x = try random.input(7, 3, length)
            var (masked, plain) = (try norm(3), try norm(3))
            let ones = [Bool](repeating: true, count: 7 * (length ?? 1))
            let result = try masked.train(x, mask: .positions(ones, batch: 7, length: length))
            #expect(try result.output == plain.train(x).output)
            #expect(masked == plain)
            let expected = Oracle(x, mask: ones).normalized(scale: plain.scale, bias: plain.bias)
            #expect(Self.outputs.firstDifference(result.output.doubles, expected) == nil)
        }
    }

    @Test func `two axes are three of which the last has length 1`() throws {
        var random = RandomBatch(seed: 7)
        for (batch, channels) in [(1, 1), (5000, 3), (40, 130)] {
            let flat = try random.input(batch, channels)
            let x = try flat.reshaped(to: Shape(checking: [batch, channels, 1]))
            let mask = random.mask(batch, 1)
            var (two, three) = (try norm(channels), try norm(channels))
            guard mask.count(where: { $0 }) > 1 else { continue }
            let a = try two.train(flat, mask: .positions(mask, batch: batch))
            let b = try three.train(x, mask: .positions(mask, batch: batch, length: 1))
            #expect(a.moments == b.moments)
            #expect(try a.output == b.output.reshaped(to: flat.shape))
            #expect(two == three)
            // A longer row goes another way through the kernels, to the same bits.
            let padded = Tensor(of: Float.self, shape: try Shape(checking: [batch, channels, 2])) { y in
                flat.withElements(of: Float.self) { x in
                    for index in y.indices { y[index] = index % 2 == 0 ? x[index / 2] : .nan }
                }
            }
            let c = try two.moments(
                of: padded,
                mask: .positions(mask.flatMap { [$0, false] }, batch: batch, length: 2)
            )
            #expect(c == a.moments)
        }
    }

    @Test(arguments: [(32, 3, 700), (3, 70, 5), (1, 1, 20000), (9000, 2, 1), (200, 65, 33)])
    func `the number of threads changes no bit`(batch: Int, channels: Int, length: Int) throws {
        var random = RandomBatch(seed: 8)
        let x = try random.input(batch, channels, length)
        let mask = try MaskedBatchNorm.Mask.positions(
            random.mask(batch, length),
            batch: batch,
            length: length
        )
        var one = try norm(channels)
        let expected = try one.train(x, mask: mask)
        let evaluated = try one.evaluate(x, mask: mask)
        for threads in [-1, 2, 3, 5, 16, 100_000] {
            var many = try norm(channels)
            let result = try many.train(x, mask: mask, threads: threads)
            #expect(result.moments == expected.moments)
            #expect(result.output == expected.output)
            #expect(try many.evaluate(x, mask: mask, threads: threads) == evaluated)
        }
    }

    @Test(arguments: [nil, 1, 7, 40, 700] as [Int?], [true, false])
    func `evaluation in place gives the same bits, and changes no other tensor`(length: Int?, tracks: Bool)
        throws
    {
        var random = RandomBatch(seed: 13)
        let (batch, positions) = (9, length ?? 1)
        var norm = try MaskedBatchNorm(channels: 5, running: tracks ? .pytorch(.cumulative) : nil)
        for _ in 0..<10 {
            let bits = random.mask(batch, positions)
            guard bits.count(where: { $0 }) > 1 else { continue }
            let mask = try MaskedBatchNorm.Mask.positions(bits, batch: batch, length: length)
            let x = random.spoiled(try random.input(batch, 5, length), where: bits)
            _ = try norm.train(x, mask: mask)
            let expected = try norm.evaluate(x, mask: mask)
            for threads in [1, 3] {
                var own = x
                try norm.evaluate(inPlace: &own, mask: mask, threads: threads)
                #expect(own == expected)
                #expect(x.withBytes { Array($0) } != own.withBytes { Array($0) })
            }
        }
        var other = Tensor(repeating: Float(2), shape: [1, 4, 3])
        let before = other
        #expect(throws: MaskedBatchNormError.channels(expected: 5, actual: 4)) {
            try norm.evaluate(inPlace: &other)
        }
        #expect(other == before)
    }

    @Test(arguments: [nil, 1, 7, 40, 700] as [Int?], [true, false])
    func `evaluation into a tensor gives the same bits at valid positions, and keeps what stands at padding`(
        length: Int?,
        tracks: Bool
    ) throws {
        var random = RandomBatch(seed: 17)
        let (batch, positions) = (9, length ?? 1)
        var norm = try MaskedBatchNorm(channels: 5, running: tracks ? .pytorch(.cumulative) : nil)
        for _ in 0..<10 {
            let bits = random.mask(batch, positions)
            guard bits.count(where: { $0 }) > 1 else { continue }
            let mask = try MaskedBatchNorm.Mask.positions(bits, batch: batch, length: length)
            let x = random.spoiled(try random.input(batch, 5, length), where: bits)
            _ = try norm.train(x, mask: mask)
            let expected = try norm.evaluate(x, mask: mask).array(of: Float.self)
            for threads in [1, 3] {
                for padding in [Float(0), 7] {
                    var y = Tensor(repeating: padding, shape: x.shape)
                    try norm.evaluate(x, into: &y, mask: mask, threads: threads)
                    let actual = y.array(of: Float.self)
                    for index in actual.indices {
                        let (sequence, position) = (index / (5 * positions), index % positions)
                        let isValid = bits[sequence * positions + position]
                        #expect(actual[index] == (isValid ? expected[index] : padding))
                    }
                }
            }
        }
        let x = Tensor(repeating: Float(2), shape: [1, 5, 3])
        for wrong in [
            Tensor(repeating: Float(2), shape: [1, 5, 4]), Tensor(repeating: Int64(2), shape: [1, 5, 3]),
        ] {
            var y = wrong
            let error = MaskedBatchNormError.output(elementType: y.elementType, shape: y.shape.dimensions)
            #expect(throws: error) { try norm.evaluate(x, into: &y) }
            #expect(y == wrong)
        }
    }

    @Test func `the order of the sequences changes nothing but rounding`() throws {
        var random = RandomBatch(seed: 9)
        let lengths = (0..<40).map { $0 * 7 % 300 }
        let x = try random.input(40, 3, 300)
        let norm = try norm(3)
        let expected = try norm.moments(of: x, mask: .lengths(SequenceMask(lengths: lengths)))
        for _ in 0..<5 {
            let order = random.order(40)
            let mask = SequenceMask(lengths: order.map { lengths[$0] })
            let moments = try norm.moments(of: x.sequences(order), mask: .lengths(mask))
            #expect(moments.count == expected.count)
            #expect(Self.rounding.firstDifference(moments.mean, expected.mean) == nil)
            #expect(Self.rounding.firstDifference(moments.m2, expected.m2) == nil)
        }
    }

    @Test func `any split of a batch merges to the whole`() throws {
        var random = RandomBatch(seed: 10)
        let x = try random.input(30, 4, 20)
        let lengths = (0..<30).map { $0 * 11 % 21 }
        let norm = try norm(4)
        let whole = try norm.moments(of: x, mask: .lengths(SequenceMask(lengths: lengths)))
        for _ in 0..<30 {
            let cuts = ([0, 30] + (0..<random.index(below: 6)).map { _ in random.index(below: 31) }).sorted()
            var parts: [Moments] = []
            for (begin, end) in zip(cuts, cuts.dropFirst()) {
                let part = SequenceMask(lengths: Array(lengths[begin..<end]))
                parts.append(try norm.moments(of: x.slice(begin..<end), mask: .lengths(part)))
            }
            var merged = Moments(channels: 4)
            for index in random.order(parts.count) { try merged.merge(parts[index]) }
            #expect(merged.count == whole.count)
            #expect(Self.rounding.firstDifference(merged.mean, whole.mean) == nil)
            #expect(Self.rounding.firstDifference(merged.m2, whole.m2) == nil)
        }
    }

    @Test func `a first value far from all others costs no accuracy that shows`() throws {
        var random = RandomBatch(seed: 11)
        var x = try random.input(4, 2, 1000)
        x.withMutableElements(of: Float.self) { $0[0] = 1e12 }
        let norm = try norm(2)
        let moments = try norm.moments(of: x)
        let oracle = Oracle(x, mask: [Bool](repeating: true, count: 4000))
        let near = Tolerance.close(absolute: 0, relative: 1e-11, because: "4000 values take 12 of 53 bits")
        #expect(near.firstDifference(moments.mean, oracle.mean) == nil)
        #expect(near.firstDifference(try moments.variance(divisor: .count), oracle.variance) == nil)
    }

    @Test func `values at the ends of float32 neither overflow nor vanish`() throws {
        for size in [Float.greatestFiniteMagnitude, 1e30, 1e-30, .leastNonzeroMagnitude] {
            let x = try Tensor([size, -size, size, -size], shape: [2, 1, 2])
            var norm = try MaskedBatchNorm(channels: 1, epsilon: .leastNormalMagnitude, running: nil)
            let result = try norm.train(x)
            #expect(result.moments.mean == [0])
            #expect(result.output.array(of: Float.self) == [1, -1, 1, -1])
        }
    }

    @Test func `a NaN at a valid position spoils its channel only`() throws {
        var random = RandomBatch(seed: 12)
        let clean = try random.input(3, 2, 8)
        var x = clean
        x.withMutableElements(of: Float.self) { $0[5] = .nan }
        var (a, b) = (try norm(2), try norm(2))
        let (first, second) = (try a.train(clean), try b.train(x))
        #expect(second.moments.mean[0].isNaN && second.moments.m2[0].isNaN)
        #expect(second.moments.mean[1] == first.moments.mean[1])
        for sequence in 0..<3 {
            let (mine, other) = (second.output.element(at: sequence), first.output.element(at: sequence))
            #expect(mine.array(of: Float.self)[..<8].allSatisfy { $0.isNaN })
            #expect(mine.array(of: Float.self)[8...] == other.array(of: Float.self)[8...])
        }
    }
}
