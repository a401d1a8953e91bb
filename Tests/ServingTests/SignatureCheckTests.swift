import Inference
import TensorCore
import Testing

@testable import Serving

struct SignatureCheckTests {
    private func features(channels: Int = 2, limit: Int = 10) -> SignatureCheck {
        let kind = SequenceInput.Kind.features(layout: .channelsFirst, channels: channels)
        let signature = Signature(sequence: SequenceInput(name: "x", kind: kind))
        return SignatureCheck(signature: signature, maxPositions: limit)
    }

    private func tokens(vocabulary: Int?) -> SignatureCheck {
        let input = SequenceInput(name: "tokens", kind: .tokens)
        let signature = Signature(sequence: input, vocabularySize: vocabulary)
        return SignatureCheck(signature: signature, maxPositions: 10)
    }

    private func batch<T: TensorElement>(_ values: [T], _ shape: Shape, _ lengths: [Int]) throws
        -> SequenceBatch
    {
        try SequenceBatch(rows: Tensor(values, shape: shape), lengths: lengths)
    }

    private func fault(_ index: Int?, _ reason: InputFault) -> ServingError {
        .invalidInput(index: index, reason: reason)
    }

    @Test func `sequences that fit pass`() throws {
        try features().check(batch([1, 2, 3, 4, 5, 6] as [Float], [3, 2], [1, 2]))
        try features(limit: 3).check(batch([1, 2, 3, 4, 5, 6] as [Float], [3, 2], [3]))
        try tokens(vocabulary: 4).check(batch([0, 3, 1] as [Int64], [3], [2, 1]))
        try tokens(vocabulary: nil).check(batch([0, .max] as [Int64], [2], [2]))
    }

    @Test func `extreme but finite numbers pass`() throws {
        let extremes: [Float] = [
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0,
        ]
        try features().check(batch(extremes, [2, 2], [2]))
    }

    @Test func `no sequence at all is refused`() {
        #expect(throws: fault(nil, .noSequences)) { try features().check(batch([] as [Float], [0, 2], [])) }
    }

    @Test func `an empty sequence is named`() {
        #expect(throws: fault(1, .emptySequence)) {
            try features().check(batch([1, 2, 3, 4] as [Float], [2, 2], [1, 0, 1]))
        }
        #expect(throws: fault(0, .emptySequence)) {
            try tokens(vocabulary: 3).check(batch([] as [Int64], [0], [0]))
        }
    }

    @Test func `a sequence over the limit is named`() {
        #expect(throws: fault(1, .tooLong(positions: 4, limit: 3))) {
            try features(limit: 3).check(batch([Float](repeating: 0, count: 10), [5, 2], [1, 4]))
        }
    }

    @Test func `another number of channels is refused`() {
        #expect(throws: fault(nil, .wrongChannels(expected: 3, actual: 2))) {
            try features(channels: 3).check(batch([1, 2] as [Float], [1, 2], [1]))
        }
    }

    @Test func `tokens for features and features for tokens are refused`() {
        #expect(throws: fault(nil, .featuresExpected(channels: 2))) {
            try features().check(batch([1] as [Int64], [1], [1]))
        }
        #expect(throws: fault(nil, .featuresExpected(channels: 2))) {
            try features().check(batch([1, 2] as [Double], [1, 2], [1]))
        }
        #expect(throws: fault(nil, .tokensExpected)) {
            try tokens(vocabulary: 3).check(batch([1, 2] as [Float], [1, 2], [1]))
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, .signalingNaN])
    func `every place of a number that is not finite is found`(bad: Float) throws {
        let lengths = [2, 1, 3]
        for element in 0..<12 {
            var values = (0..<12).map { Float($0) }
            values[element] = bad
            let row = element / 2
            let (index, position) = row < 2 ? (0, row) : row < 3 ? (1, 0) : (2, row - 3)
            let expected = fault(index, .notFinite(position: position, channel: element % 2))
            #expect(throws: expected) { try features().check(batch(values, [6, 2], lengths)) }
        }
    }

    @Test(arguments: [-1, 4, Int64.min, .max])
    func `a token outside the vocabulary is named by its place`(token: Int64) {
        #expect(throws: fault(1, .tokenOutOfRange(position: 2, limit: 4))) {
            try tokens(vocabulary: 4).check(batch([3, 0, 1, token, 9], [5], [1, 4]))
        }
    }

    @Test func `a negative token is refused even if the vocabulary is not known`() {
        #expect(throws: ServingError.self) {
            try tokens(vocabulary: nil).check(batch([-1] as [Int64], [1], [1]))
        }
    }
}
