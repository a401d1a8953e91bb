import Freezing
import TensorCore
import Testing

/// The moments of some numbers, added one after the other.
struct PlainMoments: Equatable {
    var numbers: [Double] = []

    var mean: Double { numbers.reduce(0, +) / Double(numbers.count) }
    var variance: Double { numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count) }
}

/// `h = norm(x_t + h)` over the sequences that have a position t, computed one number after the other.
struct StepOracle {
    /// By position and channel.
    private(set) var moments: [[PlainMoments]] = []

    init(_ batch: TrainingBatch, isBackward: Bool = false) throws {
        let x = try #require(batch.inputs["x"])
        let lengths = try #require(batch.lengths)
        let (rows, steps) = (x.shape[0], x.shape[1])
        let numbers = x.array(of: Float.self).map(Double.init)
        moments = [[PlainMoments]](repeating: [PlainMoments(), PlainMoments()], count: steps)
        var state = [[Double]](repeating: [0, 0], count: rows)
        for step in 0..<steps {
            let position = isBackward ? steps - 1 - step : step
            for channel in 0..<2 {
                var column = (0..<rows).map { state[$0][channel] }
                for row in 0..<rows { column[row] += numbers[(row * steps + position) * 2 + channel] }
                for row in 0..<rows where position < lengths[row] {
                    moments[position][channel].numbers.append(column[row])
                }
                let said = moments[position][channel]
                let isEmpty = said.numbers.isEmpty
                let deviation = ((isEmpty ? 0 : said.variance) + Double(LoopSamples.epsilon)).squareRoot()
                for row in 0..<rows {
                    state[row][channel] = (column[row] - (isEmpty ? 0 : said.mean)) / deviation
                }
            }
        }
    }

    /// The moments of all positions of several batches together.
    static func pooled(_ oracles: [StepOracle]) -> [[PlainMoments]] {
        let steps = oracles.map(\.moments.count).max() ?? 0
        return (0..<steps).map { step in
            (0..<2).map { channel in
                PlainMoments(
                    numbers: oracles.flatMap { oracle in
                        step < oracle.moments.count ? oracle.moments[step][channel].numbers : []
                    }
                )
            }
        }
    }
}
