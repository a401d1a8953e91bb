import Testing

@testable import Serving

struct RunTimesTests {
    @Test func `nothing is expected of a number of rows that never ran`() {
        let times = RunTimes()
        times.record(rows: 16, nanoseconds: 1000)
        for rows in [1, 2, 15, 32, 1 << 40, .max] { #expect(times.expected(rows: rows) == nil) }
    }

    @Test func `runs between the same powers of two count as alike`() {
        let times = RunTimes()
        times.record(rows: 16, nanoseconds: 1000)
        for rows in 16...31 { #expect(times.expected(rows: rows) == 1000) }
    }

    @Test func `what is expected follows the runs and stays between them`() {
        let times = RunTimes()
        times.record(rows: 3, nanoseconds: 1000)
        var last = 1000.0
        for _ in 0..<200 {
            times.record(rows: 2, nanoseconds: 5000)
            let expected = times.expected(rows: 3) ?? 0
            #expect(expected >= last && expected <= 5000)
            last = expected
        }
        #expect(last > 4999)
    }

    @Test func `one run that was held up for long changes little`() {
        let times = RunTimes()
        times.record(rows: 3, nanoseconds: 1000)
        times.record(rows: 3, nanoseconds: 1e12)
        #expect(times.expected(rows: 3) == 1125)
    }

    @Test func `numbers of rows that nobody should ask for have a place`() {
        let times = RunTimes()
        for rows in [.min, -1, 0, 1] {
            times.record(rows: rows, nanoseconds: 7)
            #expect(times.expected(rows: rows) == 7)
        }
    }

    @Test func `the rows for a time follow from the largest runs`() {
        let times = RunTimes()
        #expect(times.rows(within: 1e6) == nil)
        times.record(rows: 2, nanoseconds: 1e6)
        times.record(rows: 100, nanoseconds: 96_000)
        #expect(times.rows(within: 1e6) == 1000)
        #expect(times.rows(within: .infinity) != nil)
        #expect(BatchOptions().budget(for: times).maxRows == 8192)
        #expect(BatchOptions(targetRun: .milliseconds(1)).budget(for: times).maxRows == 1000)
        #expect(
            BatchOptions(targetRun: .nanoseconds(1)).budget(for: times).maxRows == BatchOptions.fewestRows
        )
        #expect(BatchOptions(maxBatchRows: 10, targetRun: .seconds(1)).budget(for: times).maxRows == 10)
    }
}
