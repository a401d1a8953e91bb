import Testing

@testable import SeqnormCLI

@Suite struct ProgressBarTests {
    private func text(_ bytes: Int, of total: Int?, _ sequences: Int = 10, columns: Int = 80) -> String {
        ProgressBar.text(bytes: bytes, of: total, sequences: sequences, seconds: 2, columns: columns)
    }

    @Test func `the bar grows with the bytes`() {
        #expect(text(0, of: 100) == "[                        ]   0 %  10 sequences, 5/s")
        #expect(text(50, of: 100) == "[============            ]  50 %  10 sequences, 5/s")
        #expect(text(100, of: 100) == "[========================] 100 %  10 sequences, 5/s")
    }

    @Test func `what makes no sense is shown as best it can be`() {
        #expect(text(500, of: 100).contains("100 %"))
        #expect(text(-5, of: 100).contains("  0 %"))
        #expect(text(5, of: nil) == "10 sequences, 5/s")
        #expect(text(5, of: 0, 1) == "1 sequence, 0/s")
        for seconds in [0, -1, .infinity, .nan, 1e-300] {
            let text = ProgressBar.text(bytes: 1, of: 2, sequences: .max, seconds: seconds, columns: 200)
            #expect(text.contains("50 %"))
        }
    }

    @Test(arguments: 0...100) func `it never fills a line of the terminal`(columns: Int) {
        for total in [nil, 100] {
            #expect(text(50, of: total, columns: columns).count < max(columns, 1))
        }
    }

    private func batches(_ done: Int, of total: Int, seconds: Double = 2, columns: Int = 80) -> String {
        ProgressBar.text(batches: done, of: total, seconds: seconds, columns: columns)
    }

    @Test func `a run over batches shows its rate and the time that is left`() {
        #expect(batches(5, of: 10) == "[============            ]  50 %  5 of 10 batches, 2.5/s, 0:02 left")
        #expect(batches(1, of: 3601, seconds: 1).hasSuffix("1 of 3601 batches, 1.0/s, 1:00:00 left"))
        #expect(batches(400, of: 400, seconds: 1).hasSuffix("400 of 400 batches, 400/s, 0:00 left"))
        #expect(batches(0, of: 3).hasSuffix("0 of 3 batches, 0.0/s, ? left"))
    }

    @Test(arguments: 0...100) func `a run over batches never fills a line of the terminal`(columns: Int) {
        for seconds in [0, -1, .infinity, .nan, 1e-300, 1e300] {
            #expect(batches(7, of: 9, seconds: seconds, columns: columns).count < max(columns, 1))
        }
        #expect(batches(.max, of: 0, columns: columns).count < max(columns, 1))
    }
}
