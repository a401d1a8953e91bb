import ONNXGraph
import Statistics
import TensorCore
import Testing

@testable import Freezing

/// The proof that compares a frozen graph with the training graph, on graphs that keep rounding small and that do not.
struct OwnStatisticsProofTests {
    /// A normalization of x, then `steps` times `u = 1 - 2 u^2`, which doubles what is a little off.
    private func chaotic(steps: Int) throws -> Model {
        var nodes = Samples.normalization(of: "x", to: "normalized", label: "bn")
        nodes.append(Node("Tanh", inputs: ["normalized"], outputs: ["u0"]))
        for step in 0..<steps {
            nodes += [
                Node("Mul", inputs: ["u\(step)", "u\(step)"], outputs: ["square\(step)"]),
                Node("Mul", inputs: ["square\(step)", "two"], outputs: ["twice\(step)"]),
                Node("Sub", inputs: ["one", "twice\(step)"], outputs: ["u\(step + 1)"]),
            ]
        }
        return try Samples.model(
            nodes,
            inputs: [("x", Samples.matrix)],
            outputs: ["u\(steps)"],
            constants: [
                Initializer("one", Tensor(scalar: Float(1))), Initializer("two", Tensor(scalar: Float(2))),
            ]
        )
    }

    /// The proof where every statistic that is put in is off by a part of its size.
    private func proof(_ model: Model, off part: Double) throws -> Proof {
        let plan = try FreezePlan(model)
        let rewrite = { (statistics: [SiteStatistics]) throws(FreezeError) -> Model in
            let planted = statistics.map { statistic in
                var statistic = statistic
                if let mean = statistic.mean {
                    let numbers = mean.array(of: Float.self).map { $0 + Float(part) * (abs($0) + 1) }
                    statistic.mean = try? Tensor(numbers, shape: mean.shape)
                }
                return statistic
            }
            return try plan.rewritten(with: planted)
        }
        let batch = try Samples.batch([64, 2], seed: 4)
        return try OwnStatisticsProof(plan: plan, rewrite: rewrite).proof([batch])
    }

    @Test func `a calm graph is held to the least limit, and a wrong statistic refused`() throws {
        let calm = try chaotic(steps: 0)
        let right = try proof(calm, off: 0)
        #expect(right.isHeld)
        #expect(right.tolerance == Sensitivity.leastLimit)
        let wrong = try proof(calm, off: 0.01)
        #expect(!wrong.isHeld)
        #expect(try #require(wrong.tolerance) == Sensitivity.leastLimit)
    }

    @Test(arguments: [6, 9, 12])
    func `a chaotic graph may differ by what it makes of rounding, and a wrong statistic is refused`(
        steps: Int
    ) throws {
        let chaotic = try chaotic(steps: steps)
        for part in [1e-7, -1e-7, 0] { #expect(try proof(chaotic, off: part).isHeld) }
        for part in [0.01, -0.01, 0.3] {
            let wrong = try proof(chaotic, off: part)
            #expect(!wrong.isHeld)
            #expect(try #require(wrong.tolerance) <= Sensitivity.largestLimit)
        }
    }

    @Test func `the limit is what a small change of the statistics moves, within bounds`() {
        #expect(Sensitivity.limit(movement: 0) == 1e-3)
        #expect(Sensitivity.limit(movement: 5e-4) == 5e-3)
        #expect(Sensitivity.limit(movement: 3) == 0.1)
        #expect(Sensitivity.limit(movement: .infinity) == 0.1)
    }

    @Test func `a change moves every element by a millionth of its size, the same way each time`() throws {
        let mean = try Tensor([0, -2, 1e6] as [Float], shape: [3])
        let variance = try Tensor([4, 1, 0] as [Float], shape: [3])
        let given = [SiteStatistics(mean: mean, variance: variance)]
        let changed = Sensitivity.changed(given, pattern: 1)
        let again = Sensitivity.changed(given, pattern: 1)
        #expect(changed[0].mean == again[0].mean && changed[0].variance == again[0].variance)
        let moved = zip(try #require(changed[0].mean).array(of: Float.self), [0, -2, 1e6] as [Float]).map {
            abs($0 - $1)
        }
        for (distance, size) in zip(moved, [2, 3, 1e6] as [Float]) {
            #expect(distance > 0 && distance <= size * 1.2e-6)
        }
        #expect(changed[0].variance?.array(of: Float.self)[2] == 0)
    }
}
