import Testing

@testable import Serving

@Suite struct DrainRateTests {
    /// A rate after equal runs.
    private func rate(rows: Int, in time: Duration, times: Int = 1) -> DrainRate {
        var rate = DrainRate()
        for _ in 0..<times { rate.record(rows: rows, in: time) }
        return rate
    }

    @Test func `nothing is known before the first run, and the least is said`() {
        for rows in [0, 1, 1_000_000, Int.max] {
            #expect(DrainRate().secondsToRun(rows: rows, threads: 1) == 1)
        }
    }

    // With powers of two there is nothing to round on the way.
    @Test(arguments: [
        (rows: 0, threads: 1, seconds: 1), (1024, 1, 1), (1025, 1, 2), (10_240, 1, 10), (10_240, 2, 5),
        (10_241, 2, 6), (10_240, 0, 10), (61_439, 1, 60), (61_441, 1, 60), (Int.max, 1, 60),
    ])
    func `rows that wait are divided by the rows a second of all threads, and rounded up`(
        rows: Int,
        threads: Int,
        seconds: Int
    ) {
        for times in [1, 2, 100] {
            let rate = rate(rows: 512, in: .milliseconds(500), times: times)
            #expect(rate.secondsToRun(rows: rows, threads: threads) == seconds)
        }
    }

    @Test func `long runs count for more than short ones, and late ones for more than early ones`() {
        var mixed = DrainRate()
        mixed.record(rows: 1, in: .milliseconds(1))
        mixed.record(rows: 1000, in: .seconds(10))
        #expect(mixed.secondsToRun(rows: 100, threads: 1) == 1)
        #expect(mixed.secondsToRun(rows: 1000, threads: 1) == 10)
        var slower = rate(rows: 1000, in: .seconds(1), times: 1000)
        let before = slower.secondsToRun(rows: 5000, threads: 1)
        for _ in 0..<200 { slower.record(rows: 100, in: .seconds(1)) }
        #expect(before == 5)
        #expect(slower.secondsToRun(rows: 5000, threads: 1) == 50)
    }

    @Test func `more rows never wait for less, whatever was recorded`() {
        for time in [Duration.zero, .nanoseconds(-5), .nanoseconds(1), .seconds(1 << 40)] {
            let rate = rate(rows: 1, in: time, times: 3)
            var last = DrainRate.seconds.lowerBound
            for rows in [0, 1, 10, 1 << 20, 1 << 62] {
                let seconds = rate.secondsToRun(rows: rows, threads: 3)
                #expect(DrainRate.seconds.contains(seconds) && seconds >= last)
                last = seconds
            }
        }
    }
}
