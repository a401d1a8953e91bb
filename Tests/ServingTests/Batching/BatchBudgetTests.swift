import TestSupport
import Testing

@testable import Serving

struct BatchBudgetTests {
    private func budget(rows: Int, sequences: Int, padded: Bool = false) -> BatchBudget {
        BatchBudget(maxRows: rows, maxSequences: sequences, padsToLongest: padded)
    }

    @Test(arguments: [false, true])
    func `pieces cover all sequences in order and are as long as the budget allows`(padded: Bool) {
        var random = SplitMix(seed: 7)
        for _ in 0..<500 {
            let lengths = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                Int.random(in: 1...9, using: &random)
            }
            let budget = budget(
                rows: .random(in: 1...20, using: &random),
                sequences: .random(in: 1...5, using: &random),
                padded: padded
            )
            let pieces = budget.pieces(of: lengths)
            #expect(pieces.flatMap { Array($0) } == Array(lengths.indices))
            for piece in pieces {
                #expect(piece.count == 1 || cost(lengths[piece], padded) <= budget.maxRows)
                #expect(!piece.isEmpty && piece.count <= budget.maxSequences)
                guard piece.upperBound < lengths.count else { continue }
                let longer = piece.lowerBound..<piece.upperBound + 1
                #expect(
                    longer.count > budget.maxSequences || cost(lengths[longer], padded) > budget.maxRows
                )
            }
        }
    }

    private func cost(_ lengths: ArraySlice<Int>, _ padded: Bool) -> Int {
        padded ? lengths.count * (lengths.max() ?? 0) : lengths.reduce(0, +)
    }

    @Test func `a load that overflows is not admitted`() {
        let load = BatchLoad(sequences: 1 << 40, rows: 1, longest: 1 << 40)
        #expect(!budget(rows: .max, sequences: .max, padded: true).admits(load))
    }
}
