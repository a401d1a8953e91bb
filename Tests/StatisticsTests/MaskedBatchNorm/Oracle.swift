import TensorCore
import TestSupport
import Testing

/// Masked batch normalization one element at a time, in Double: slow and obvious.
struct Oracle {
    let count: Int
    let mean, variance: [Double]
    private let x: [Double]
    private let channels, length: Int
    private let mask: [Bool]

    /// - Parameters:
    ///   - input: `[B, C, L]` or `[B, C]`.
    ///   - mask: Of B * L positions, which are valid.
    init(_ input: Tensor, mask: [Bool]) {
        let (channels, length) = (input.shape[1], input.shape.rank == 3 ? input.shape[2] : 1)
        let x = input.doubles
        let places = mask.indices.filter { mask[$0] }.map { (sequence: $0 / length, step: $0 % length) }
        func values(_ channel: Int) -> [Double] {
            places.map { x[($0.sequence * channels + channel) * length + $0.step] }
        }
        count = places.count
        let n = Double(places.count)
        mean = (0..<channels).map { values($0).reduce(0, +) / n }
        variance = zip(0..<channels, mean).map { channel, mean in
            values(channel).map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / n
        }
        self.x = x
        self.mask = mask
        self.channels = channels
        self.length = length
    }

    /// The output, 0 at padding.
    func normalized(epsilon: Double = 1e-5, scale: [Float]? = nil, bias: [Float]? = nil) -> [Double] {
        x.indices.map { index in
            let channel = index / length % channels
            guard mask[index / length / channels * length + index % length] else { return 0 }
            let y = (x[index] - mean[channel]) / (variance[channel] + epsilon).squareRoot()
            return y * (scale.map { Double($0[channel]) } ?? 1) + (bias.map { Double($0[channel]) } ?? 0)
        }
    }
}

/// The files of `expected`.
enum Reference {
    static func read(_ name: String) throws -> [String: Tensor] {
        try SafeTensors.read(Fixtures.reference("expected/\(name).safetensors"))
    }
}

extension [String: Tensor] {
    func value(_ name: String) throws -> Tensor { try #require(self[name], "\(name) is missing") }

    /// A mean stored as two float32 numbers, of which the second may be missing.
    func exactMean(_ name: String, low: String) throws -> [Double] {
        let high = try value(name).doubles
        return zip(high, self[low]?.doubles ?? high.map { _ in 0 }).map { $0 + $1 }
    }
}

extension Tolerance {
    /// The first place where two arrays differ by more than the tolerance.
    func firstDifference(_ actual: [Double], _ expected: [Double]) -> String? {
        guard actual.count == expected.count else { return "\(actual.count) values, not \(expected.count)" }
        for index in actual.indices where !allows(actual[index], expected[index]) {
            return "element \(index) is \(actual[index]), not \(expected[index]) (\(reason))"
        }
        return nil
    }
}
