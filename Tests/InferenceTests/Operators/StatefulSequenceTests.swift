import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// LinearAttention and CausalConvWithState: a sequence in parts, each with the state before it, is the whole sequence.
struct StatefulSequenceTests {
    private func steps(_ x: Tensor, _ range: Range<Int64>, axis: Int64) throws -> Tensor {
        try SingleNode("Slice").run([
            x, Tensor([range.lowerBound], shape: [1]), Tensor([range.upperBound], shape: [1]),
            Tensor([axis], shape: [1]),
        ])[0]
    }

    @Test(arguments: ["linear", "gated", "delta", "gated_delta"])
    func `attention in parts is attention at once`(_ rule: String) throws {
        var random = SplitMix(seed: 1)
        let node = SingleNode(
            "LinearAttention",
            ["q_num_heads": .int(4), "kv_num_heads": .int(2), "update_rule": .string(rule)]
        )
        let (isGated, corrects) = (rule.hasPrefix("gated"), rule.hasSuffix("delta"))
        var inputs: [Tensor?] = [
            try .random([2, 7, 12], &random), try .random([2, 7, 6], &random),
            try .random([2, 7, 10], &random), nil,
        ]
        inputs.append(isGated ? try .random([2, 7, 6], &random) : nil)
        inputs.append(corrects ? try .random([2, 7, 1], &random) : nil)
        let whole = try node.run(inputs, outputs: [true, true])
        #expect(whole[0].shape.dimensions == [2, 7, 20] && whole[1].shape.dimensions == [2, 2, 3, 5])
        var state: Tensor?
        for range in [0..<1, 1..<4, 4..<4, 4..<7] as [Range<Int64>] {
            var part: [Tensor?] = []
            for input in inputs { part.append(try input.map { try steps($0, range, axis: 1) }) }
            part[3] = state
            let outputs = try node.run(part, outputs: [true, true])
            #expect(try outputs[0] == steps(whole[0], range, axis: 1))
            state = outputs[1]
        }
        #expect(state == whole[1])
    }

    @Test func `attention without updates but the writes is the sum of values that queries weigh`() throws {
        let node = SingleNode(
            "LinearAttention",
            [
                "q_num_heads": .int(1), "kv_num_heads": .int(1), "update_rule": .string("linear"),
                "scale": .float(0.5),
            ]
        )
        let q = try Tensor([1, 2, 3, 4] as [Float], shape: [1, 2, 2])
        let k = try Tensor([1, 0, 0, 1] as [Float], shape: [1, 2, 2])
        let v = try Tensor([10, 100] as [Float], shape: [1, 2, 1])
        for widens in [false, true] {
            let outputs = try node.run([q, k, v].map { widens ? $0.widened : $0 }, outputs: [true, true])
            #expect(outputs[0].doubles == [5, 215])
            #expect(outputs[1].doubles == [10, 100])
        }
    }

    @Test func `the state keeps its type where the sequence has another`() throws {
        let node = SingleNode(
            "LinearAttention",
            ["q_num_heads": .int(1), "kv_num_heads": .int(1), "update_rule": .string("linear")]
        )
        let x = try Tensor([Float16(1)], shape: [1, 1, 1])
        let state = try Tensor([0.1] as [Float], shape: [1, 1, 1, 1])
        let outputs = try node.run([x, x, x, state], outputs: [true, true])
        #expect(outputs[0].elementType == .float16)
        #expect(outputs[1] == (try Tensor([1.1] as [Float], shape: [1, 1, 1, 1])))
    }

    @Test func `what a rule needs and forbids is named`() throws {
        let x = Tensor(repeating: Float(1), shape: [1, 2, 4])
        var attributes: [String: Attribute.Value] = ["q_num_heads": .int(2), "kv_num_heads": .int(2)]
        #expect(try SingleNode("LinearAttention", attributes).failure([x, x, x]) == .inputValue(input: 4))
        #expect(
            try SingleNode("LinearAttention", attributes).failure([x, x, x, nil, x]) == .inputValue(input: 5)
        )
        attributes["update_rule"] = .string("linear")
        let node = SingleNode("LinearAttention", attributes)
        #expect(try node.failure([x, x, x]) == nil)
        #expect(try node.failure([x, x, x, nil, x]) == .inputValue(input: 4))
        #expect(try node.failure([x, x, x, x]) != nil)
        #expect(try node.failure([x, Tensor(repeating: Float(1), shape: [1, 2, 6]), x]) != nil)
        #expect(try node.failure([x, Tensor(repeating: Float(1), shape: [1, 3, 4]), x]) != nil)
        #expect(try node.failure([x, Tensor(repeating: Int32(1), shape: [1, 2, 4]), x]) != nil)
        attributes["q_num_heads"] = .int(3)
        #expect(
            try SingleNode("LinearAttention", attributes).failure([x, x, x]) == .attributeValue("q_num_heads")
        )
        attributes["q_num_heads"] = .int(.min)
        #expect(
            try SingleNode("LinearAttention", attributes).failure([x, x, x]) == .attributeValue("q_num_heads")
        )
    }

    @Test(arguments: ["none", "silu"])
    func `a causal convolution in parts is one at once`(_ activation: String) throws {
        var random = SplitMix(seed: 2)
        let node = SingleNode("CausalConvWithState", ["activation": .string(activation)])
        let x = try Tensor.random([2, 3, 9], &random)
        for kernel in [1, 2, 4] {
            let weights = try Tensor.random([3, 1, kernel], &random)
            let bias = try Tensor.random([3], &random)
            let whole = try node.run([x, weights, bias], outputs: [true, true])
            var state: Tensor?
            for range in [0..<1, 1..<2, 2..<2, 2..<9] as [Range<Int64>] {
                let part = try steps(x, range, axis: 2)
                let outputs = try node.run([part, weights, bias, state], outputs: [true, true])
                #expect(try outputs[0] == steps(whole[0], range, axis: 2))
                state = outputs[1]
            }
            #expect(state == whole[1])
            let dense = SingleNode("Conv", ["group": .int(3), "pads": .ints([Int64(kernel) - 1, 0])])
            if activation == "none" {
                let tolerance = Tolerance.close(absolute: 1e-5, because: "another order of sums")
                #expect(try tolerance.firstDifference(whole[0], dense.run([x, weights, bias])[0]) == nil)
            }
        }
    }

    @Test func `a causal convolution's inputs that do not fit are named`() throws {
        let node = SingleNode("CausalConvWithState")
        let x = Tensor(repeating: Float(1), shape: [1, 2, 3])
        let weights = Tensor(repeating: Float(1), shape: [2, 1, 3])
        #expect(try node.failure([x, weights, nil, Tensor(repeating: Float(1), shape: [1, 2, 2])]) == nil)
        #expect(try node.failure([x, weights, nil, Tensor(repeating: Float(1), shape: [1, 2, 3])]) != nil)
        #expect(try node.failure([x, Tensor(repeating: Float(1), shape: [2, 2, 3])]) != nil)
        #expect(try node.failure([x, Tensor(repeating: Float(1), shape: [2, 1, 0])]) != nil)
        #expect(try node.failure([x, weights, Tensor(repeating: Float(1), shape: [3])]) != nil)
        #expect(try node.failure([x, weights.widened]) == .unsupportedElementType(.float64, input: 1))
        let wrong = SingleNode("CausalConvWithState", ["activation": .string("relu")])
        #expect(try wrong.failure([x, weights]) == .attributeValue("activation"))
    }
}
