import Foundation
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Attention against the sum of its formula, its laws, and inputs that do not fit.
struct AttentionTests {
    private static let tolerance = Tolerance.close(absolute: 2e-6, relative: 1e-5, because: "float32 sums")

    /// One output row by row: what the spec writes, in Double.
    private func oracle(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        allowed: (_ query: Int, _ key: Int) -> Bool
    ) -> [Double] {
        let (q1, k1, v1) = (q.doubles, k.doubles, v.doubles)
        let (heads, length, width) = (q.shape[1], q.shape[2], q.shape[3])
        let (keyHeads, keys, valueWidth) = (k.shape[1], k.shape[2], v.shape[3])
        var result: [Double] = []
        for sample in 0..<q.shape[0] {
            for head in 0..<heads {
                let keyHead = sample * keyHeads + head / (heads / keyHeads)
                for row in 0..<length {
                    let start = ((sample * heads + head) * length + row) * width
                    var weights: [Double] = []
                    for key in 0..<keys {
                        var dot = 0.0
                        for index in 0..<width {
                            dot += q1[start + index] * k1[(keyHead * keys + key) * width + index]
                        }
                        weights.append(allowed(row, key) ? exp(dot / Double(width).squareRoot()) : 0)
                    }
                    let sum = weights.reduce(0, +)
                    for column in 0..<valueWidth {
                        var value = 0.0
                        for key in 0..<keys {
                            value += weights[key] * v1[(keyHead * keys + key) * valueWidth + column]
                        }
                        result.append(sum == 0 ? 0 : value / sum)
                    }
                }
            }
        }
        return result
    }

    @Test func `every combination of small shapes is what the formula says`() throws {
        var random = SplitMix(seed: 1)
        for (batch, heads, keyHeads) in [(0, 1, 1), (1, 1, 1), (2, 4, 2), (1, 3, 1)] {
            for length in [0, 1, 3] {
                for keys in [0, 1, 4, 130] {
                    for isCausal in [false, true] {
                        let q = try Tensor.random([batch, heads, length, 5], &random)
                        let k = try Tensor.random([batch, keyHeads, keys, 5], &random)
                        let v = try Tensor.random([batch, keyHeads, keys, 3], &random)
                        let node = SingleNode("Attention", ["is_causal": .int(isCausal ? 1 : 0)])
                        let expected = oracle(q: q, k: k, v: v) { !isCausal || $1 <= $0 }
                        let y = try node.run([q, k, v])[0]
                        #expect(y.shape.dimensions == [batch, heads, length, 3])
                        for (a, b) in zip(y.doubles, expected) { #expect(Self.tolerance.allows(a, b)) }
                        let wide = try node.run([q.widened, k.widened, v.widened])[0]
                        for (a, b) in zip(wide.doubles, expected) { #expect(abs(a - b) < 1e-12) }
                    }
                }
            }
        }
    }

    @Test func `a query gives the same bits whatever other queries, heads and samples there are`() throws {
        var random = SplitMix(seed: 2)
        let q = try Tensor.random([3, 2, 70, 8], &random)
        let k = try Tensor.random([3, 2, 90, 8], &random)
        let v = try Tensor.random([3, 2, 90, 8], &random)
        let whole = try SingleNode("Attention").run([q, k, v])[0]
        for sample in 0..<3 {
            let range = sample..<sample + 1
            let alone = try SingleNode("Attention").run([q.slice(range), k.slice(range), v.slice(range)])[0]
            #expect(alone == whole.slice(range))
            for query in [0, 63, 64, 69] {
                let row = try queries([query], of: q.slice(range))
                let single = try SingleNode("Attention").run([row, k.slice(range), v.slice(range)])[0]
                #expect(try single == queries([query], of: alone))
            }
        }
    }

    /// Some queries of every head of one sample.
    private func queries(_ indices: [Int], of x: Tensor) throws -> Tensor {
        try SingleNode("Gather", ["axis": .int(2)]).run([
            x, Tensor(indices.map { Int64($0) }, shape: Shape(checking: [indices.count])),
        ])[0]
    }

    @Test func `inputs with heads side by side give what inputs head by head give`() throws {
        var random = SplitMix(seed: 3)
        let (q, k) = (try Tensor.random([2, 3, 12], &random), try Tensor.random([2, 4, 6], &random))
        let v = try Tensor.random([2, 4, 4], &random)
        func split(_ x: Tensor, heads: Int) throws -> Tensor {
            let shape = try Shape(checking: [x.shape[0], x.shape[1], heads, x.shape[2] / heads])
            let transpose = SingleNode("Transpose", ["perm": .ints([0, 2, 1, 3])])
            return try transpose.run([x.reshaped(to: shape)])[0]
        }
        let packed = SingleNode("Attention", ["q_num_heads": .int(4), "kv_num_heads": .int(2)])
        let outputs = [true, true, true, true]
        let a = try packed.run([q, k, v], outputs: outputs)
        let b = try SingleNode("Attention").run(
            [split(q, heads: 4), split(k, heads: 2), split(v, heads: 2)],
            outputs: outputs
        )
        #expect(try split(a[0], heads: 4) == b[0])
        #expect(a[1...] == b[1...])
    }

    @Test func `keys behind the valid ones never count, even where they are infinite or NaN`() throws {
        var random = SplitMix(seed: 4)
        let q = try Tensor.random([2, 1, 3, 4], &random)
        var k = try Tensor.random([2, 1, 5, 4], &random)
        let v = try Tensor.random([2, 1, 5, 2], &random)
        k.withMutableElements(of: Float.self) { $0[16] = .nan }
        let counts = try Tensor([4, 0] as [Int64], shape: [2])
        let y = try SingleNode("Attention").run([q, k, v, nil, nil, nil, counts])[0]
        let short = try SingleNode("Attention").run([
            q.slice(0..<1),
            Tensor(Array(k.array(of: Float.self)[..<16]), shape: [1, 1, 4, 4]),
            Tensor(Array(v.array(of: Float.self)[..<8]), shape: [1, 1, 4, 2]),
        ])[0]
        #expect(Self.tolerance.firstDifference(y.slice(0..<1), short) == nil)
        #expect(y.slice(1..<2) == Tensor(repeating: Float(0), shape: [1, 1, 3, 2]))
    }

    @Test func `a query that may see no key gives zeros, not NaN`() throws {
        var random = SplitMix(seed: 5)
        let q = try Tensor.random([1, 1, 2, 4], &random)
        let forbidding = try Tensor([false, false, true, false], shape: [2, 2])
        let added = try Tensor([-.infinity, -.infinity, 0, -.infinity] as [Float], shape: [2, 2])
        for mask in [forbidding, added] {
            let outputs = try SingleNode("Attention", ["qk_matmul_output_mode": .int(3)])
                .run([q, q, q, mask], outputs: [true, false, false, true])
            #expect(Array(outputs[0].array(of: Float.self)[..<4]) == [0, 0, 0, 0])
            #expect(outputs[0].array(of: Float.self)[4...] == q.array(of: Float.self)[..<4])
            #expect(outputs[1].array(of: Float.self) == [0, 0, 1, 0])
        }
    }

    @Test func `windows leave a query its neighbours`() throws {
        var random = SplitMix(seed: 6)
        let x = try Tensor.random([1, 1, 6, 3], &random)
        let node = SingleNode("Attention", ["left_window_size": .int(1), "right_window_size": .int(2)])
        let expected = oracle(q: x, k: x, v: x) { $1 >= $0 - 1 && $1 <= $0 + 2 }
        for (a, b) in zip(try node.run([x, x, x])[0].doubles, expected) {
            #expect(Self.tolerance.allows(a, b))
        }
    }

    @Test func `queries behind a past see all of it`() throws {
        var random = SplitMix(seed: 7)
        let x = try Tensor.random([1, 1, 6, 3], &random)
        let node = SingleNode("Attention", ["is_causal": .int(1)])
        let whole = try node.run([x, x, x])[0].array(of: Float.self)
        let values = x.array(of: Float.self)
        let past = try Tensor(Array(values[..<12]), shape: [1, 1, 4, 3])
        let rest = try Tensor(Array(values[12...]), shape: [1, 1, 2, 3])
        let outputs = try node.run([rest, rest, rest, nil, past, past], outputs: [true, true, true])
        #expect(outputs[0].array(of: Float.self) == Array(whole[12...]))
        #expect(outputs[1] == x && outputs[2] == x)
    }

    @Test func `inputs that do not fit are named`() throws {
        var random = SplitMix(seed: 8)
        let x = try Tensor.random([1, 2, 3, 4], &random)
        func other(_ dimensions: [Int]) throws -> Tensor { try Tensor.random(dimensions, &random) }
        let node = SingleNode("Attention")
        let mismatch = { (axis: Int, expected: Int, actual: Int) in
            OperatorError.shape(.dimensionMismatch(axis: axis, expected: expected, actual: actual))
        }
        #expect(try node.failure([x, other([2, 2, 3, 4]), x]) == mismatch(0, 1, 2))
        #expect(try node.failure([x, other([1, 2, 3, 5]), x]) == mismatch(3, 4, 5))
        #expect(try node.failure([x, x, other([1, 2, 4, 4])]) == mismatch(2, 3, 4))
        #expect(try node.failure([x, other([1, 0, 3, 4]), other([1, 0, 3, 4])]) == mismatch(1, 0, 2))
        #expect(try node.failure([x, other([2, 3, 4]), x]) == .unsupportedRank(3, input: 1))
        #expect(try node.failure([x, x, x.widened]) == .elementTypesDiffer(.float32, .float64))
        #expect(try node.failure([x, x, x, other([9, 9])]) != nil)
        #expect(try node.failure([x, x, x, other([1, 1, 1, 3, 3])]) == .unsupportedRank(5, input: 3))
        #expect(try node.failure([x, x, x, nil, x]) == .missingInput(5))
        #expect(try node.failure([x, x, x, nil, nil, x]) == .missingInput(4))
        for counts in [[4], [-1], [.min], [.max]] as [[Int64]] {
            let tensor = try Tensor(counts, shape: [1])
            #expect(try node.failure([x, x, x, nil, nil, nil, tensor]) == .inputValue(input: 6))
        }
        let integers = try Tensor([Int64](repeating: 0, count: 24), shape: [1, 2, 3, 4])
        #expect(
            try node.failure([integers, integers, integers]) == .unsupportedElementType(.int64, input: 0)
        )
        for mask in [
            Tensor(repeating: Int32(1), shape: [3, 3]), Tensor(repeating: UInt8(1), shape: [3, 3]),
            Tensor(repeating: 1.0, shape: [3, 3]),
        ] {
            #expect(try node.failure([x, x, x, mask]) == .elementTypesDiffer(.float32, mask.elementType))
        }
    }

    @Test(arguments: [
        ("q_num_heads", Int64.min), ("kv_num_heads", 0), ("qk_matmul_output_mode", 4), ("is_causal", 2),
        ("softmax_precision", 7), ("left_window_size", -2), ("right_window_size", .max),
    ])
    func `an attribute out of its range is refused`(_ name: String, value: Int64) throws {
        let x = Tensor(repeating: Float(1), shape: [1, 2, 3, 4])
        #expect(try SingleNode("Attention", [name: .int(value)]).failure([x, x, x]) == .attributeValue(name))
    }

    @Test func `heads that do not divide are refused`() throws {
        let x = Tensor(repeating: Float(1), shape: [1, 3, 4])
        #expect(try SingleNode("Attention").failure([x, x, x]) == .missingAttribute("q_num_heads"))
        let node = SingleNode("Attention", ["q_num_heads": .int(3), "kv_num_heads": .int(1)])
        #expect(try node.failure([x, x, x]) == .attributeValue("q_num_heads"))
    }

    @Test func `a rotation by no angle changes nothing and one by a right angle swaps`() throws {
        var random = SplitMix(seed: 9)
        let x = try Tensor.random([2, 2, 3, 6], &random)
        let (zero, one) = (
            Tensor(repeating: Float(0), shape: [4, 2]), Tensor(repeating: Float(1), shape: [4, 2])
        )
        let positions = try Tensor([0, 1, 2, 3, 0, 1] as [Int64], shape: [2, 3])
        for interleaved in [0, 1] as [Int64] {
            let node = SingleNode(
                "RotaryEmbedding",
                ["interleaved": .int(interleaved), "rotary_embedding_dim": .int(4)]
            )
            #expect(try node.run([x, one, zero, positions]) == [x])
            let turned = try node.run([x, zero, one, positions])[0]
            #expect(try node.run([turned, zero, one, positions])[0].doubles[5] == x.doubles[5])
            let back = try node.run([turned, zero, one, positions])[0]
            #expect(back.doubles[0] == -x.doubles[0] && back.doubles[3] == -x.doubles[3])
        }
    }

    @Test func `positions and widths that do not fit are named`() throws {
        var random = SplitMix(seed: 10)
        let x = try Tensor.random([1, 2, 2, 4], &random)
        let cache = try Tensor.random([3, 2], &random)
        let node = SingleNode("RotaryEmbedding")
        for position in [-1, 3, .min, .max] as [Int64] {
            let positions = try Tensor([0, position], shape: [1, 2])
            let reason = OperatorError.indexOutOfRange(index: Int(position), length: 3)
            #expect(try node.failure([x, cache, cache, positions]) == reason)
        }
        #expect(try node.failure([x, cache, cache]) == .unsupportedRank(2, input: 1))
        let wide = SingleNode("RotaryEmbedding", ["rotary_embedding_dim": .int(6)])
        #expect(try wide.failure([x, cache, cache]) == .attributeValue("rotary_embedding_dim"))
        let odd = SingleNode("RotaryEmbedding", ["rotary_embedding_dim": .int(3)])
        #expect(try odd.failure([x, cache, cache]) == .attributeValue("rotary_embedding_dim"))
        let flat = try Tensor.random([1, 2, 8], &random)
        #expect(try node.failure([flat, cache, cache]) == .missingAttribute("num_heads"))
    }

    @Test func `probabilities of a softmax in Double are rounded once`() throws {
        var random = SplitMix(seed: 31)
        let inputs = try [[1, 2, 3, 5], [1, 2, 9, 5], [1, 2, 9, 4]].map { try Tensor.random($0, &random) }
        func scores(_ stage: Int64, precision: Int64) throws -> Tensor {
            let node = SingleNode(
                "Attention",
                ["qk_matmul_output_mode": .int(stage), "softmax_precision": .int(precision)]
            )
            return try node.run(inputs, outputs: [true, false, false, true])[1]
        }
        let raw = try scores(0, precision: 11).doubles
        let found = try scores(3, precision: 11).array(of: Float.self)
        for row in 0..<6 {
            let weights = raw[row * 9..<(row + 1) * 9]
            let largest = weights.max() ?? 0
            let terms = weights.map { exp($0 - largest) }
            let sum = terms.reduce(0, +)
            for (index, term) in terms.enumerated() { #expect(found[row * 9 + index] == Float(term / sum)) }
        }
        let single = try scores(3, precision: 1).array(of: Float.self)
        for (a, b) in zip(found, single) { #expect(abs(a - b) < 1e-6) }
    }
}
