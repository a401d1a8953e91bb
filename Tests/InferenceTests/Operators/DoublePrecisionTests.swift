import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// float64 in and out of the layers: nothing is lost to float32 on the way, and what float32 gives is near it.
struct DoublePrecisionTests {
    private static let nodes: [(String, [[Int]], [String: Attribute.Value])] = [
        ("MatMul", [[2, 3, 4], [4, 5]], [:]),
        ("MatMul", [[4], [2, 4, 3]], [:]),
        ("MatMul", [[3, 4], [4]], [:]),
        ("MatMul", [[0, 4], [4, 2]], [:]),
        (
            "Gemm", [[4, 3], [5, 4], [5]],
            ["transA": .int(1), "transB": .int(1), "alpha": .float(2), "beta": .float(0.5)]
        ),
        ("Gemm", [[3, 4], [4, 5]], [:]),
        (
            "Conv", [[2, 4, 9], [6, 2, 3], [6]],
            ["group": .int(2), "pads": .ints([1, 2]), "dilations": .ints([2])]
        ),
        ("Conv", [[1, 2, 5, 6], [3, 2, 2, 3]], ["strides": .ints([2, 1])]),
        ("Conv", [[0, 2, 5], [3, 2, 2]], [:]),
        ("ConvTranspose", [[2, 4, 5], [4, 3, 3], [6]], ["group": .int(2), "strides": .ints([2])]),
        ("Softmax", [[2, 3, 4]], ["axis": .int(1)]),
        ("LogSoftmax", [[2, 3, 4]], [:]),
        ("Hardmax", [[2, 3, 4]], [:]),
        ("LayerNormalization", [[2, 3, 4], [4], [4]], [:]),
        ("LayerNormalization", [[2, 0, 4], [4]], [:]),
        ("RMSNormalization", [[2, 3, 4], [4]], [:]),
        ("GroupNormalization", [[2, 4, 3], [4], [4]], ["num_groups": .int(2)]),
        ("InstanceNormalization", [[2, 4, 3], [4], [4]], [:]),
        ("MeanVarianceNormalization", [[2, 3, 4, 2]], [:]),
        ("LRN", [[2, 5, 3]], ["size": .int(4), "alpha": .float(0.5)]),
        ("LpNormalization", [[2, 5]], [:]),
        ("ReduceSum", [[2, 3, 4]], ["keepdims": .int(0)]),
        ("ReduceMean", [[2, 3, 4]], [:]),
        ("ReduceL2", [[2, 3, 4]], [:]),
        ("ReduceLogSumExp", [[2, 3, 4]], [:]),
        ("AveragePool", [[1, 2, 6]], ["kernel_shape": .ints([3])]),
        ("MaxPool", [[1, 2, 6]], ["kernel_shape": .ints([3])]),
        ("GlobalAveragePool", [[1, 2, 6]], [:]),
        ("CausalConvWithState", [[1, 2, 6], [2, 1, 3]], ["activation": .string("silu")]),
    ]

    @Test(arguments: nodes.indices)
    func `a layer gives the same in both`(_ index: Int) throws {
        let (type, shapes, attributes) = Self.nodes[index]
        var random = SplitMix(seed: UInt64(index))
        let inputs = try shapes.map { try Tensor.random($0, &random) }
        let node = SingleNode(type, attributes)
        let narrow = try node.run(inputs)[0]
        let wide = try node.run(inputs.map(\.widened))[0]
        #expect(wide.elementType == .float64 && wide.shape == narrow.shape)
        for (a, b) in zip(narrow.doubles, wide.doubles) { #expect(abs(a - b) <= 1e-5 * max(1, abs(b))) }
        // Of results that are no whole numbers, hardly any is one of float32.
        let exact = wide.doubles.count { Double(Float($0)) == $0 }
        #expect(wide.count < 4 || ["Hardmax", "MaxPool"].contains(type) || exact < wide.count)
        #expect(try node.failure([inputs[0].widened] + inputs.dropFirst()) != nil || inputs.count == 1)
    }

    @Test func `batch normalization takes float64, in training as well`() throws {
        var random = SplitMix(seed: 1)
        let x = try Tensor.random([3, 2, 4], &random)
        let parameters = try (0..<3).map { _ in try Tensor.random([2], &random) }
        let variance = Tensor(repeating: Float(2), shape: [2])
        for mode in [0, 1] as [Int64] {
            let node = SingleNode("BatchNormalization", ["training_mode": .int(mode)])
            let outputs = mode == 0 ? [true] : [true, true, true]
            let narrow = try node.run([x] + parameters + [variance], outputs: outputs)
            let wide = try node.run(
                [x.widened] + parameters.map(\.widened) + [variance.widened],
                outputs: outputs
            )
            for (a, b) in zip(narrow, wide) {
                #expect(b.elementType == .float64)
                for (left, right) in zip(a.doubles, b.doubles) { #expect(abs(left - right) < 1e-5) }
            }
        }
    }

    @Test func `a mean of float64 numbers with NaN is NaN`() throws {
        let x = try Tensor([1, .nan, 3], shape: [3])
        #expect(try SingleNode("ReduceMean").run([x])[0].doubles[0].isNaN)
    }

    @Test func `the mean of a row without elements is NaN`() throws {
        let (x, scale) = (try Tensor([Float](), shape: [2, 0]), try Tensor([Float](), shape: [0]))
        let node = SingleNode("LayerNormalization")
        for inputs in [[x, scale], [x.widened, scale.widened]] {
            let outputs = try node.run(inputs, outputs: [true, true, true])
            #expect(outputs[0].count == 0)
            for statistic in outputs.dropFirst() {
                #expect(statistic.shape == [2, 1] && statistic.doubles.allSatisfy(\.isNaN))
            }
        }
    }

    @Test func `integers are multiplied as integers, which wrap around`() throws {
        let a = try Tensor([Int64.max, 2], shape: [1, 2])
        let b = try Tensor([2, 1] as [Int64], shape: [2, 1])
        #expect(try SingleNode("MatMul").run([a, b])[0].array(of: Int64.self) == [0])
        let gemm = SingleNode("Gemm", ["alpha": .float(3)])
        #expect(try gemm.run([a, b])[0].array(of: Int64.self) == [0])
        let half = SingleNode("Gemm", ["alpha": .float(0.5)])
        #expect(try half.failure([a, b]) == .attributeValue("alpha"))
        let huge = SingleNode("Gemm", ["alpha": .float(1e30)])
        #expect(try huge.failure([a, b]) == .attributeValue("alpha"))
    }

    @Test func `bounds of Clip that are attributes hold for float64 as well`() throws {
        let x = try Tensor([-3, 0.5, 3, .nan], shape: [4])
        let node = SingleNode("Clip", opset: 6, ["min": .float(-1), "max": .float(2)])
        let y = try node.run([x])[0].array(of: Double.self)
        #expect(Array(y[..<3]) == [-1, 0.5, 2] && y[3].isNaN)
    }

    @Test func `signs and magnitudes are told of all integers`() throws {
        let bytes = try Tensor([-128, 0, 5] as [Int8], shape: [3])
        #expect(try SingleNode("Sign").run([bytes])[0].array(of: Int8.self) == [-1, 0, 1])
        // The one magnitude that the type cannot hold wraps around.
        #expect(try SingleNode("Abs").run([bytes])[0].array(of: Int8.self) == [-128, 0, 5])
        #expect(try SingleNode("Relu").run([bytes])[0].array(of: Int8.self) == [0, 0, 5])
        let words = try Tensor([0, 7] as [UInt16], shape: [2])
        #expect(try SingleNode("Abs").run([words]) == [words])
        #expect(try SingleNode("Sign").run([words])[0].array(of: UInt16.self) == [0, 1])
        #expect(try SingleNode("Neg").failure([words]) == .unsupportedElementType(.uint16, input: 0))
    }
}
