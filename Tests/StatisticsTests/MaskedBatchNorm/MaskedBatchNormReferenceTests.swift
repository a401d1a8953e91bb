import Statistics
import TensorCore
import TestSupport
import Testing

/// Cases computed in numpy in float64, and checked there against two PyTorch modules.
struct MaskedBatchNormReferenceTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        var epsilon = 1e-5
        /// PyTorch's; nil is cumulative.
        var momentum: Double? = 0.1
        var isTracking = true
        var isCancelling = false

        var testDescription: String { name }

        /// Of outputs; of running means; of variances.
        var output: Tolerance {
            isCancelling
                ? .close(
                    absolute: 2e-3,
                    relative: 1e-3,
                    because: "standard deviations of ten float32 spacings"
                )
                : .close(absolute: 1e-5, relative: 1e-5, because: "stored as float32")
        }
        var mean: Tolerance {
            isCancelling
                ? .close(absolute: 0, relative: 3e-7, because: "stored as float32")
                : .close(absolute: 1e-5, relative: 1e-5, because: "stored as float32")
        }
        var variance: Tolerance {
            isCancelling
                ? .close(absolute: 0, relative: 1e-4, because: "stored as float32")
                : .close(absolute: 1e-5, relative: 1e-5, because: "stored as float32")
        }
    }

    static let cases = [
        Case(name: "affine-cumulative", momentum: nil),
        Case(name: "affine-momentum"),
        Case(name: "cancellation", isCancelling: true),
        Case(name: "eps-momentum", epsilon: 1e-3, momentum: 0.01),
        Case(name: "eval-untrained"),
        Case(name: "garbage-padding"),
        Case(name: "holes"),
        Case(name: "input-2d"),
        Case(name: "input-2d-unmasked"),
        Case(name: "input-3d-unmasked"),
        Case(name: "nan-padding"),
        Case(name: "plain-cumulative", momentum: nil),
        Case(name: "plain-momentum"),
        Case(name: "single-position"),
        Case(name: "untracked", isTracking: false),
        Case(name: "untracked-plain", isTracking: false),
        Case(name: "very-different-lengths"),
        Case(name: "zero-length"),
    ]

    /// The three conventions, under the names the files use.
    static func rules(_ momentum: Double?) -> [(name: String, rule: RunningStatistics.Rule)] {
        let averaging = RunningStatistics.Averaging.pytorchMomentum(momentum)
        let all = [
            ("seed", RunningStatistics.Rule.maskedModule(averaging)), ("torch", .pytorch(averaging)),
        ]
        guard let momentum else { return all }
        return all + [("onnx", .onnx(.onnxMomentum(1 - momentum)))]
    }

    /// How many names in a row, from index 0, there are.
    private func count(_ tensors: [String: Tensor], _ name: (Int) -> String) -> Int {
        var count = 0
        while tensors[name(count)] != nil { count += 1 }
        return count
    }

    @Test(arguments: cases)
    func `training gives the expected outputs and moments`(each: Case) throws {
        let tensors = try Reference.read("masked-batchnorm/\(each.name)")
        for step in 0..<count(tensors, { "x.\($0)" }) {
            let (x, mask) = (try tensors.value("x.\(step)"), try tensors.value("mask.\(step)"))
            var norm = try MaskedBatchNorm(
                channels: x.shape[1],
                epsilon: each.epsilon,
                scale: tensors["weight"]?.array(),
                bias: tensors["bias"]?.array(),
                running: nil
            )
            let result = try norm.train(x, mask: .tensor(mask))
            let expected = try tensors.value("y.\(step)")
            #expect(each.output.firstDifference(result.output, expected) == nil)
            #expect(try result.moments.count == Int(tensors.value("count.\(step)").doubles[0]))
            let mean = try tensors.exactMean("mean.\(step)", low: "mean_low.\(step)")
            let near = Tolerance.close(absolute: 1e-6, relative: 3e-7, because: "mean stored as float32")
            #expect(near.firstDifference(result.moments.mean, mean) == nil)
            let variance = try result.moments.variance(divisor: .count)
            #expect(each.variance.firstDifference(variance, try tensors.value("var.\(step)").doubles) == nil)
            if let wrong = tensors["var_uncorrected.\(step)"]?.doubles {
                #expect(zip(variance, wrong).allSatisfy { $0 * 10 < $1 })
            }
        }
    }

    @Test(arguments: cases.filter(\.isTracking))
    func `running statistics and evaluation follow the three conventions`(each: Case) throws {
        let tensors = try Reference.read("masked-batchnorm/\(each.name)")
        let steps = count(tensors) { "x.\($0)" }
        for (name, rule) in Self.rules(each.momentum) where tensors["eval.0.y_\(name)"] != nil {
            let channels = try tensors.value("eval.0.x").shape[1]
            let (scale, bias): ([Float]?, [Float]?) = (tensors["weight"]?.array(), tensors["bias"]?.array())
            var norm = try MaskedBatchNorm(
                channels: channels,
                epsilon: each.epsilon,
                scale: scale,
                bias: bias,
                running: rule
            )
            var stored = (
                mean: [Double](repeating: 0, count: channels),
                variance: [Double](repeating: 1, count: channels)
            )
            for step in 0..<steps {
                let mask = try tensors.value("mask.\(step)")
                _ = try norm.train(tensors.value("x.\(step)"), mask: .tensor(mask))
                let running = try #require(norm.running)
                stored.mean = try tensors.value("running_\(name).mean.\(step)").doubles
                stored.variance = try tensors.value("running_\(name).var.\(step)").doubles
                #expect(each.mean.firstDifference(running.mean, stored.mean) == nil)
                #expect(each.variance.firstDifference(running.variance, stored.variance) == nil)
                #expect(running.batches == step + 1)
            }
            // The expected outputs are those of the statistics as stored, in float32.
            let resumed = try MaskedBatchNorm(
                channels: channels,
                epsilon: each.epsilon,
                scale: scale,
                bias: bias,
                resuming: RunningStatistics(
                    rule,
                    mean: stored.mean,
                    variance: stored.variance,
                    batches: steps
                )
            )
            for index in 0..<count(tensors, { "eval.\($0).x" }) {
                let mask = MaskedBatchNorm.Mask.tensor(try tensors.value("eval.\(index).mask"))
                let x = try tensors.value("eval.\(index).x")
                let expected = try tensors.value("eval.\(index).y_\(name)")
                #expect(each.output.firstDifference(try resumed.evaluate(x, mask: mask), expected) == nil)
                guard !each.isCancelling else { continue }
                #expect(each.output.firstDifference(try norm.evaluate(x, mask: mask), expected) == nil)
            }
        }
    }

    @Test(arguments: cases.filter { !$0.isTracking })
    func `evaluation without running statistics uses its own batch's`(each: Case) throws {
        let tensors = try Reference.read("masked-batchnorm/\(each.name)")
        for index in 0..<count(tensors, { "eval.\($0).x" }) {
            let x = try tensors.value("eval.\(index).x")
            let norm = try MaskedBatchNorm(
                channels: x.shape[1],
                scale: tensors["weight"]?.array(),
                bias: tensors["bias"]?.array(),
                running: nil
            )
            let y = try norm.evaluate(x, mask: .tensor(tensors.value("eval.\(index).mask")))
            #expect(each.output.firstDifference(y, try tensors.value("eval.\(index).y")) == nil)
        }
    }

    @Test(arguments: ["input-2d-unmasked", "input-3d-unmasked"])
    func `a mask of ones is no mask`(name: String) throws {
        let tensors = try Reference.read("masked-batchnorm/\(name)")
        for step in 0..<count(tensors, { "x.\($0)" }) {
            let (x, mask) = (try tensors.value("x.\(step)"), try tensors.value("mask.\(step)"))
            var norm = try MaskedBatchNorm(channels: x.shape[1], running: nil)
            let masked = try norm.train(x, mask: .tensor(mask))
            let plain = try norm.train(x)
            #expect(masked.output == plain.output)
            #expect(masked.moments == plain.moments)
        }
    }

    @Test func `cancellation stays within 1e-5 of the oracle in Double`() throws {
        let tensors = try Reference.read("masked-batchnorm/cancellation")
        let (scale, bias): ([Float], [Float]) = (
            try tensors.value("weight").array(), try tensors.value("bias").array()
        )
        for step in 0..<3 {
            let (x, mask) = (try tensors.value("x.\(step)"), try tensors.value("mask.\(step)"))
            var norm = try MaskedBatchNorm(channels: 4, scale: scale, bias: bias, running: nil)
            let y = try norm.train(x, mask: .tensor(mask)).output
            let oracle = Oracle(x, mask: mask.doubles.map { $0 == 1 }).normalized(
                scale: scale,
                bias: bias
            )
            let near = Tolerance.close(absolute: 1e-5, because: "y is stored as float32")
            #expect(near.firstDifference(y.doubles, oracle) == nil)
        }
    }
}
