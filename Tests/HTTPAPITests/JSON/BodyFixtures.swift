import Foundation
import HTTPAPI
import Inference
import NIOCore
import TensorCore

/// Signatures of small models, and bodies for them.
enum BodyFixtures {
    static func features(
        _ channels: Int,
        layout: SequenceInput.Layout = .channelsFirst,
        mask: Bool = true,
        labels: [String]? = nil
    ) -> Signature {
        Signature(
            sequence: SequenceInput(name: "x", kind: .features(layout: layout, channels: channels)),
            mask: mask ? MaskInput(name: "mask", rank: 3) : nil,
            outputs: [
                OutputSignature(name: "predictions", kind: .perSequence, features: [labels?.count ?? 2]),
                OutputSignature(name: "normalized", kind: .perPosition(timeAxis: 2), features: [channels]),
            ],
            labels: labels
        )
    }

    static func tokens(_ letters: String? = "ACDEFGHIKLMNPQRSTVWY") throws -> Signature {
        Signature(
            sequence: SequenceInput(name: "tokens", kind: .tokens),
            mask: MaskInput(name: "mask", rank: 3),
            outputs: [OutputSignature(name: "predictions", kind: .perSequence, features: [2])],
            alphabet: try letters.map { try Alphabet(letters: $0) },
            padID: 20
        )
    }

    static func error<R>(_ body: () throws(BodyError) -> R) -> BodyError? {
        do throws(BodyError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }
}

extension ByteBuffer {
    var text: String { String(buffer: self) }
    var data: Data { Data(readableBytesView) }
}

/// Reproducible random numbers (SplitMix64).
struct FixedGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
