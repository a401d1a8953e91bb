import Foundation
import Reporting
import Testing

@Suite struct JSONTests {
    @Test func `what is written can be read back`() throws {
        let old = StatisticReport.Previous(mean: Examples.series(steps: [], channels: 24), variance: nil)
        let report = Examples.report([
            Examples.statistic(steps: [5, 7], channels: 3), Examples.statistic(previous: old),
        ])
        #expect(try JSONDecoder().decode(FreezeReport.self, from: report.json()) == report)
    }

    @Test func `floats are written with no more digits than they have`() throws {
        var statistic = Examples.statistic(channels: 1)
        statistic.mean = StatisticSeries(steps: [], channels: 1, values: [0.1])
        let text = try String(decoding: Examples.report([statistic]).json(), as: UTF8.self)
        #expect(text.contains("0.1\n"))
        #expect(text.hasSuffix("}\n"))
    }

    @Test func `what is no number is a word`() throws {
        var statistic = Examples.statistic(channels: 3)
        statistic.mean = StatisticSeries(steps: [], channels: 3, values: [.nan, .infinity, -.infinity])
        let text = try String(decoding: Examples.report([statistic]).json(), as: UTF8.self)
        for word in ["\"nan\"", "\"inf\"", "\"-inf\""] { #expect(text.contains(word)) }
    }

    @Test func `keys are in snake case`() throws {
        let text = try String(decoding: Examples.report([]).json(), as: UTF8.self)
        for key in ["model_digest", "data_digest", "verdict"] { #expect(text.contains("\"\(key)\"")) }
    }
}
