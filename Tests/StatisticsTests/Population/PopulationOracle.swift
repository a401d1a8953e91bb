import Statistics
import TensorCore
import TestSupport

/// What the population's statistics are by their definition: keeps every batch, extends by copying, sums in one loop.
struct PopulationOracle {
    struct Batch {
        var extents: [Int]
        var channels: Int
        /// By steps, `[C]` each.
        var mean: [[Int]: [Double]] = [:]
        var variance: [[Int]: [Double]] = [:]
        var count: [[Int]: Double] = [:]
        var total: [[Int]: Double] = [:]
    }

    var batches: [Batch]
    var lengths: [Int]

    init(_ batches: [Batch]) {
        self.batches = batches
        let depth = batches[0].extents.count
        lengths = (0..<depth).map { axis in batches.map { $0.extents[axis] }.max() ?? 0 }
    }

    static func steps(_ lengths: [Int]) -> [[Int]] {
        lengths.reduce([[]]) { heads, length in heads.flatMap { head in (0..<length).map { head + [$0] } } }
    }

    func reaches(_ batch: Batch, _ step: [Int]) -> Bool { zip(step, batch.extents).allSatisfy { $0 < $1 } }

    /// Edge padding as numpy's `pad(mode="edge")`, batch by batch, then the mean over batches.
    func repeated(_ value: (Batch, [Int]) -> [Double]) -> [[Double]] {
        let whole = batches.filter { !$0.extents.contains(0) }
        return Self.steps(lengths).map { step in
            average(whole.map { batch in value(batch, zip(step, batch.extents).map { min($0, $1 - 1) }) })
                ?? []
        }
    }

    /// The mean over the batches that reach a step; nil where none does.
    func held(_ value: (Batch, [Int]) -> [Double]) -> [[Double]?] {
        Self.steps(lengths).map { step in
            average(batches.filter { reaches($0, step) }.map { value($0, step) })
        }
    }

    private func average(_ values: [[Double]]) -> [Double]? {
        guard let first = values.first else { return nil }
        return first.indices.map { channel in
            values.reduce(0) { $0 + $1[channel] } / Double(values.count)
        }
    }

    /// Mean and variance over the positions of the batches that reach a step, in two passes; nil without positions.
    func pooled() -> [(mean: [Double], variance: [Double])?] {
        Self.steps(lengths).map { step in
            let reaching = batches.filter { reaches($0, step) && ($0.count[step] ?? 0) > 0 }
            guard !reaching.isEmpty else { return nil }
            let n = reaching.reduce(0) { $0 + ($1.count[step] ?? 0) }
            let channels = 0..<reaching[0].channels
            let mean = channels.map { channel in
                reaching.reduce(0) { $0 + ($1.count[step] ?? 0) * ($1.mean[step]?[channel] ?? .nan) } / n
            }
            let variance = channels.map { channel in
                reaching.reduce(0) { sum, batch in
                    let deviation = (batch.mean[step]?[channel] ?? .nan) - mean[channel]
                    let spread = (batch.variance[step]?[channel] ?? .nan) + deviation * deviation
                    return sum + (batch.count[step] ?? 0) * spread
                } / n
            }
            return (mean, variance)
        }
    }

    static func gist(_ batch: Batch, _ step: [Int]) -> [Double] {
        let n = batch.count[step] ?? 0
        let padded = (batch.total[step] ?? 0) - n
        return zip(batch.mean[step] ?? [], batch.variance[step] ?? []).map { mean, variance in
            mean == 0 ? variance : variance + padded / n * mean * mean
        }
    }

    /// Batches of random extents; a step without positions has mean and variance 0.
    static func random(
        batches: Int,
        depth: Int,
        channels: Int,
        using random: inout SplitMix,
        longest: Int = 4,
        shortest: Int = 1
    ) -> [Batch] {
        (0..<batches).map { _ in
            var batch = Batch(
                extents: (0..<depth).map { _ in Int.random(in: shortest...longest, using: &random) },
                channels: channels
            )
            for step in steps(batch.extents) {
                let count = Double(
                    Int.random(in: 0...3, using: &random) * Int.random(in: 1...5, using: &random)
                )
                func values(_ range: ClosedRange<Float>) -> [Double] {
                    (0..<channels).map { _ in count == 0 ? 0 : Double(Float.random(in: range, using: &random))
                    }
                }
                batch.count[step] = count
                batch.total[step] = count + Double(Int.random(in: 0...9, using: &random))
                batch.mean[step] = values(-3...5)
                batch.variance[step] = values(0...2)
            }
            return batch
        }
    }
}

extension PopulationOracle.Batch {
    /// The batch as a graph would give it.
    var statistic: BatchStatistic {
        get throws {
            let steps = PopulationOracle.steps(extents)
            let shape = try Shape(checking: extents + [channels])
            let cells = try Shape(checking: extents)
            return BatchStatistic(
                mean: try Tensor(steps.flatMap { mean[$0] ?? [] }.map(Float.init), shape: shape),
                variance: try Tensor(steps.flatMap { variance[$0] ?? [] }.map(Float.init), shape: shape),
                count: try Tensor(steps.map { Int64(count[$0] ?? 0) }, shape: cells),
                total: try Tensor(steps.map { Int64(total[$0] ?? 0) }, shape: cells),
                extents: extents
            )
        }
    }
}
