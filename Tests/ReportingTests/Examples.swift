import Reporting

/// Reports of made-up statistics.
enum Examples {
    /// Values that look like those of a trained model, the same at every call.
    static func series(steps: [Int], channels: Int, from start: Int = 0) -> StatisticSeries {
        let count = steps.reduce(channels, *)
        let values = (0..<count).map { Float((($0 + start) &* 2_654_435_761) % 2001) / 500 - 2 }
        return StatisticSeries(steps: steps, channels: channels, values: values)
    }

    static func statistic(
        _ label: String = "block1.bn",
        steps: [Int] = [],
        channels: Int = 24,
        coverage: [Int]? = nil,
        previous: StatisticReport.Previous? = nil
    ) -> StatisticReport {
        let count = steps.reduce(1, *)
        return StatisticReport(
            label: label,
            path: "scan/body/\(label)",
            depth: steps.count,
            origin: "label on the node",
            estimator: "pooled",
            mean: series(steps: steps, channels: channels),
            variance: StatisticSeries(
                steps: steps,
                channels: channels,
                values: series(steps: steps, channels: channels, from: 7).values.map { $0 * $0 + 0.1 }
            ),
            coverage: coverage ?? (0..<count).map { max(9 - $0, 0) },
            positions: (0..<count).map { Double(max(900 - 100 * $0, 0)) },
            previous: previous
        )
    }

    static func report(_ statistics: [StatisticReport], title: String = "model") -> FreezeReport {
        FreezeReport(
            title: title,
            provenance: .init(
                kind: .freeze,
                model: "train.onnx",
                modelDigest: "00ff",
                data: "train.jsonl",
                dataDigest: "ff00",
                estimator: "pooled",
                tail: "repeat",
                padding: nil,
                batches: 9,
                sequences: 270,
                positions: 4274,
                tool: "seqnorm 0"
            ),
            proofs: [.init(claim: "It holds.", verdict: .held, difference: 1e-7, tolerance: 1e-5)],
            statistics: statistics
        )
    }
}
