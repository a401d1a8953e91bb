import Statistics
import TensorCore
import TestSupport
import Testing

/// One batch, whole and in shards of whole sequences; the last of seven shards has no valid position.
struct SynchronisedTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let mean: Tolerance
        let variance: Tolerance
        let output: Tolerance

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "basic", mean: near(1e-5, 1e-5), variance: near(1e-5, 1e-5), output: near(1e-5, 1e-5)),
        Case(name: "large-mean", mean: near(6e-4, 0), variance: near(0, 1e-4), output: near(2e-3, 1e-3)),
    ]

    static func near(_ absolute: Double, _ relative: Double) -> Tolerance {
        .close(absolute: absolute, relative: relative, because: "stored as float32")
    }

    @Test(arguments: cases, [2, 3, 7])
    func `shards that exchange their moments normalize like the whole batch`(each: Case, shards: Int) throws {
        let tensors = try Reference.read("synchronised/\(each.name)")
        let (x, mask) = (try tensors.value("x"), try tensors.value("mask"))
        let rows = try tensors.value("split\(shards).rows").array(of: Int64.self).map(Int.init)
        #expect(rows.count == shards + 1)
        let norm = try MaskedBatchNorm(
            channels: 6,
            scale: tensors.value("weight").array(),
            bias: tensors.value("bias").array(),
            running: .pytorch(.pytorchMomentum(1))
        )
        let parts = zip(rows, rows.dropFirst()).map { (x: x.slice($0..<$1), mask: mask.slice($0..<$1)) }
        var merged = Moments(channels: 6)
        for (index, part) in parts.enumerated() {
            let moments = try norm.moments(of: part.x, mask: .tensor(part.mask))
            try expect(moments, isShard: index, of: shards, tensors, each)
            try merged.merge(moments)
        }
        let whole = try norm.moments(of: x, mask: .tensor(mask))
        let rounding = Tolerance.close(absolute: 1e-13, relative: 1e-12, because: "rounding of Double sums")
        #expect(merged.count == whole.count)
        #expect(rounding.firstDifference(merged.mean, whole.mean) == nil)
        let spread = Tolerance.close(absolute: 0, relative: 1e-9, because: "means near 1e4 are held to 2e-12")
        #expect(spread.firstDifference(merged.m2, whole.m2) == nil)

        #expect(try merged.count == Int(tensors.value("count").doubles[0]))
        #expect(each.mean.firstDifference(merged.mean, try tensors.exactMean("mean", low: "mean_low")) == nil)
        let expected = (try tensors.value("var").doubles, try tensors.value("var_unbiased").doubles)
        #expect(each.variance.firstDifference(try merged.variance(divisor: .count), expected.0) == nil)
        #expect(
            each.variance.firstDifference(try merged.variance(divisor: .countMinusOne), expected.1) == nil
        )
        let y = try tensors.value("y")
        for (part, first) in zip(parts, rows) {
            var shard = norm
            let output = try shard.train(part.x, mask: .tensor(part.mask), moments: merged).output
            #expect(each.output.firstDifference(output, y.slice(first..<(first + part.x.shape[0]))) == nil)
            #expect(each.variance.firstDifference(try #require(shard.running).variance, expected.1) == nil)
        }
    }

    private func expect(
        _ moments: Moments,
        isShard index: Int,
        of shards: Int,
        _ tensors: [String: Tensor],
        _ each: Case
    ) throws {
        func row(_ name: String) throws -> [Double] {
            try tensors.value("split\(shards).\(name)").element(at: index).doubles
        }
        #expect(try Double(moments.count) == row("count")[0])
        let mean = zip(try row("mean"), try row("mean_low")).map { $0 + $1 }
        #expect(each.mean.firstDifference(moments.mean, mean) == nil)
        #expect(each.variance.firstDifference(moments.m2, try row("m2")) == nil)
    }
}
