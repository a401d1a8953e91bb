import Testing

@testable import Reporting

@Suite struct StatisticChangeTests {
    private func statistic(
        _ mean: [Float],
        _ variance: [Float],
        from old: ([Float], [Float]),
        steps: (new: [Int], old: [Int]) = ([], [])
    ) -> StatisticReport {
        func series(_ values: [Float], _ steps: [Int]) -> StatisticSeries {
            StatisticSeries(steps: steps, channels: values.count / steps.reduce(1, *), values: values)
        }
        var result = Examples.statistic(steps: steps.new)
        result.mean = series(mean, steps.new)
        result.variance = series(variance, steps.new)
        result.previous = .init(mean: series(old.0, steps.old), variance: series(old.1, steps.old))
        return result
    }

    @Test func `equal statistics have not changed`() throws {
        let change = try #require(StatisticChange(statistic([1, 2], [3, 4], from: ([1, 2], [3, 4]))))
        #expect(change.largestShift == 0)
        #expect(change.ratios == 1...1)
        #expect(change.divergence == 0)
    }

    @Test func `shifts are in old standard deviations`() throws {
        let change = try #require(StatisticChange(statistic([2, 0], [4, 1], from: ([0, 0], [4, 4]))))
        #expect(change.shift.values == [1, 0])
        #expect(change.ratio.values == [1, 0.25])
        #expect(change.largestShift == 1)
        #expect(change.ratios == 0.25...1)
        // (1 + 1 - 1 - 0) / 2 and (1/4 - 1 + ln 4) / 2, averaged.
        #expect((change.divergence - (0.5 + (0.25 - 1 + 1.3862943611198906) / 2) / 2).magnitude < 1e-12)
    }

    @Test func `only steps that both have are compared`() throws {
        let found = statistic(
            [1, 2, 3, 4, 5, 6],
            [1, 1, 1, 1, 1, 1],
            from: ([1, 2, 4, 5], [1, 1, 1, 1]),
            steps: ([2, 3], [2, 2])
        )
        let change = try #require(StatisticChange(found))
        #expect(change.shift.steps == [2, 2])
        #expect(change.largestShift == 0)
    }

    @Test func `a change is drawn over the steps that both have`() {
        let found = statistic(
            [1, 2, 3],
            [1, 1, 1],
            from: ([1, 2], [1, 1]),
            steps: ([3], [2])
        )
        let page = Examples.report([found]).html()
        #expect(page.contains("<h3>Change</h3><figure><svg"))
        #expect(page.contains("2 steps, 1 channel drawn"))
    }

    @Test func `a variance of zero cannot be compared with`() {
        #expect(StatisticChange(statistic([1], [1], from: ([0], [0]))) == nil)
        #expect(StatisticChange(Examples.statistic()) == nil)
    }

    @Test func `other channels cannot be compared with`() {
        #expect(StatisticChange(statistic([1, 2], [1, 1], from: ([0], [1]))) == nil)
    }
}
