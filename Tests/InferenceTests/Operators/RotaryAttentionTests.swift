import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Attention of onnxruntime whose queries and keys are turned by their positions.
struct RotaryAttentionTests {
    private static let (width, heads) = (12, 2)

    private func node(_ more: [String: Int64] = [:]) -> SingleNode {
        var attributes = more.mapValues { Attribute.Value.int($0) }
        attributes["num_heads"] = .int(Int64(Self.heads))
        attributes["do_rotary"] = attributes["do_rotary"] ?? .int(1)
        return SingleNode("Attention", domain: "com.microsoft", attributes)
    }

    /// The formula in Double: halves of the first `rotated` elements of each head are turned.
    private func oracle(_ x: Tensor, _ weights: Tensor, rotated: Int) -> [Double] {
        let (length, width) = (x.shape[1], Self.width)
        let size = width / Self.heads
        let (input, matrix) = (x.doubles, weights.doubles)
        func element(_ part: Int, _ row: Int, _ column: Int) -> Double {
            (0..<width).reduce(0) {
                $0 + input[row * width + $1] * matrix[$1 * 3 * width + part * width + column]
            }
        }
        func turned(_ part: Int, _ row: Int, _ head: Int) -> [Double] {
            let plain = (0..<size).map { element(part, row, head * size + $0) }
            var result = plain
            for pair in 0..<rotated / 2 {
                let angle = Double(row) / pow(10_000, 2 * Double(pair) / Double(rotated))
                let (a, b) = (plain[pair], plain[pair + rotated / 2])
                result[pair] = a * cos(angle) - b * sin(angle)
                result[pair + rotated / 2] = a * sin(angle) + b * cos(angle)
            }
            return result
        }
        var y = [Double](repeating: 0, count: length * width)
        for head in 0..<Self.heads {
            let keys = (0..<length).map { turned(1, $0, head) }
            for row in 0..<length {
                let query = turned(0, row, head)
                let weights = keys.map { key in
                    exp(zip(query, key).reduce(0) { $0 + $1.0 * $1.1 } / Double(size).squareRoot())
                }
                let sum = weights.reduce(0, +)
                for column in 0..<size {
                    for key in 0..<length {
                        y[row * width + head * size + column] +=
                            weights[key] / sum * element(2, key, head * size + column)
                    }
                }
            }
        }
        return y
    }

    @Test(arguments: [0, 2, 4, 6])
    func `queries and keys are turned as the formula says`(_ rotated: Int) throws {
        var random = SplitMix(seed: 21)
        let x = try Tensor.random([1, 5, Self.width], &random)
        let weights = try Tensor.random([Self.width, 3 * Self.width], &random)
        let small = try Tensor(weights.array(of: Float.self).map { $0 / 6 }, shape: weights.shape)
        let node = node(["rotary_embedding_dim": Int64(rotated)])
        let expected = oracle(x, small, rotated: rotated == 0 ? Self.width / Self.heads : rotated)
        for (found, value) in zip(try node.run([x, small])[0].doubles, expected) {
            #expect(abs(found - value) < 1e-4)
        }
        let wide = try node.run([x.widened, small.widened])[0]
        for (found, value) in zip(wide.doubles, expected) { #expect(abs(found - value) < 1e-12) }
    }

    @Test func `what comes after a past is turned on from there`() throws {
        var random = SplitMix(seed: 22)
        let x = try Tensor.random([1, 5, Self.width], &random)
        let weights = try Tensor.random([Self.width, 3 * Self.width], &random)
        let node = node(["unidirectional": 1])
        func part(_ range: Range<Int>) throws -> Tensor {
            let rows = x.array(of: Float.self)[range.lowerBound * Self.width..<range.upperBound * Self.width]
            return try Tensor(Array(rows), shape: Shape(checking: [1, range.count, Self.width]))
        }
        let whole = try node.run([x, weights])[0].doubles
        let first = try node.run([part(0..<3), weights], outputs: [true, true])
        let second = try node.run([part(3..<5), weights, nil, nil, first[1]], outputs: [true, true])
        for (a, b) in zip(whole, first[0].doubles + second[0].doubles) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func `an odd part of a head, or one that is wider than it, cannot be turned`() throws {
        let x = Tensor(repeating: Float(1), shape: [1, 2, 12])
        let weights = Tensor(repeating: Float(1), shape: [12, 36])
        for rotated in [3, 8, -2] as [Int64] {
            let reason = try node(["rotary_embedding_dim": rotated]).failure([x, weights])
            #expect(reason == .attributeValue("rotary_embedding_dim"))
        }
    }
}
