import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Quantized operators: their laws, their bounds, and inputs that do not fit.
struct QuantizationTests {
    private func scalar(_ value: Float) -> Tensor { Tensor(scalar: value) }

    @Test func `what was quantized comes back within half a step`() throws {
        var random = SplitMix(seed: 1)
        let x = try Tensor.random([2, 6, 5], &random)
        for block in [0, 1, 2, 4] {
            let scaleShape: Shape = block == 0 ? [6] : try Shape(checking: [2, (6 + block - 1) / block, 5])
            let scale = Tensor(repeating: Float(0.05), shape: scaleShape)
            for zero in [
                Tensor(repeating: Int8(3), shape: scaleShape),
                Tensor(repeating: UInt8(90), shape: scaleShape),
                Tensor(repeating: Int16(-7), shape: scaleShape),
                Tensor(repeating: UInt16(900), shape: scaleShape),
            ] {
                let quantize = SingleNode(
                    "QuantizeLinear",
                    ["axis": .int(-2), "block_size": .int(Int64(block))]
                )
                let restore = SingleNode(
                    "DequantizeLinear",
                    ["axis": .int(1), "block_size": .int(Int64(block))]
                )
                let y = try quantize.run([x, scale, zero])[0]
                #expect(y.elementType == zero.elementType)
                let back = try restore.run([y, scale, zero])[0]
                for (a, b) in zip(back.doubles, x.doubles) { #expect(abs(a - b) <= 0.02501) }
            }
        }
    }

    @Test func `halves are rounded to even and what does not fit is the nearest bound`() throws {
        let values: [Float] = [0.5, 1.5, 2.5, -0.5, -1.5, 1e30, -1e30, .infinity, -.infinity, .nan]
        let x = try Tensor(values, shape: [10])
        let signed = try SingleNode("QuantizeLinear").run([x, scalar(1), Tensor(scalar: Int8(0))])[0]
        #expect(signed.array(of: Int8.self) == [0, 2, 2, 0, -2, 127, -128, 127, -128, 0])
        let unsigned = try SingleNode("QuantizeLinear", opset: 10).run([x, scalar(1)])[0]
        #expect(unsigned.array(of: UInt8.self) == [0, 2, 2, 0, 0, 255, 0, 255, 0, 0])
        let zeroScale = try SingleNode("QuantizeLinear").run([x, scalar(0)])[0]
        #expect(zeroScale.array(of: UInt8.self)[0] == 255)
    }

    @Test func `the largest integers are not lost before the zero point is taken off`() throws {
        let x = try Tensor([Int32.max, .min, 16_777_217], shape: [3])
        let y = try SingleNode("DequantizeLinear").run([x, scalar(1), Tensor(scalar: Int32.min)])[0]
        #expect(y.array(of: Float.self) == [4_294_967_296, 0, 2_164_260_864])
    }

    @Test func `types and precisions of results are what attributes say`() throws {
        let x = try Tensor([1, 2] as [Float], shape: [2])
        let node = SingleNode("QuantizeLinear", ["output_dtype": .int(5)])
        #expect(try node.run([x, scalar(1)])[0] == Tensor([1, 2] as [Int16], shape: [2]))
        let half = Tensor(scalar: Float16(0.5))
        let y = try SingleNode("QuantizeLinear").run([x, half])[0]
        #expect(try SingleNode("DequantizeLinear").run([y, half])[0].elementType == .float16)
        let wide = SingleNode("DequantizeLinear", ["output_dtype": .int(1)])
        #expect(try wide.run([y, half])[0].elementType == .float32)
        #expect(
            try node.failure([x, scalar(1), Tensor(scalar: Int8(0))]) == .elementTypesDiffer(.int16, .int8)
        )
    }

    @Test(arguments: [("output_dtype", 24), ("output_dtype", .max), ("block_size", -1), ("precision", 7)])
    func `an attribute out of its range is refused`(_ name: String, value: Int64) throws {
        let x = try Tensor([1, 2] as [Float], shape: [2])
        let node = SingleNode("QuantizeLinear", [name: .int(value)])
        #expect(try node.failure([x, scalar(1)]) == .attributeValue(name))
    }

    @Test func `scales that do not fit are named`() throws {
        let x = Tensor(repeating: Float(1), shape: [2, 3])
        let node = SingleNode("QuantizeLinear")
        let two = Tensor(repeating: Float(1), shape: [2])
        #expect(try node.failure([x, two]) == .shape(.notBroadcastable([2], [3])))
        #expect(
            try node.failure([Tensor(scalar: Float(1)), two]) == .shape(.axisOutOfRange(axis: 1, rank: 0))
        )
        #expect(try node.failure([x, Tensor(scalar: 1.0)]) == .unsupportedElementType(.float64, input: 1))
        let three = Tensor(repeating: Float(1), shape: [3])
        let zero = Tensor(repeating: Int8(0), shape: [2])
        #expect(try node.failure([x, three, zero]) == .shape(.notBroadcastable([2], [3])))
        let blocked = SingleNode("QuantizeLinear", ["block_size": .int(2), "axis": .int(0)])
        #expect(try blocked.failure([x, Tensor(repeating: Float(1), shape: [2, 3])]) != nil)
        #expect(try blocked.failure([x, Tensor(repeating: Float(1), shape: [1, 3])]) == nil)
        #expect(
            try SingleNode("DequantizeLinear").failure([Tensor(scalar: Int64(1)), scalar(1)])
                == .unsupportedElementType(.int64, input: 0)
        )
    }

    @Test func `empty tensors stay empty`() throws {
        for shape in [[0], [2, 0], [0, 3]] as [Shape] {
            let x = Tensor(repeating: Float(1), shape: shape)
            let y = try SingleNode("QuantizeLinear").run([x, scalar(1)])[0]
            #expect(y.shape == shape)
            #expect(try SingleNode("DequantizeLinear").run([y, scalar(1)]) == [x])
            let dynamic = try SingleNode("DynamicQuantizeLinear").run([x], outputs: [true, true, true])
            #expect(dynamic[0].shape == shape && dynamic[2] == Tensor(scalar: UInt8(0)))
        }
        let none = Tensor(repeating: UInt8(1), shape: [2, 0])
        let product = try SingleNode("MatMulInteger").run([none, Tensor(repeating: Int8(1), shape: [0, 3])])[
            0
        ]
        #expect(product == Tensor(repeating: Int32(0), shape: [2, 3]))
    }

    @Test func `a quantized product is the product of what the operands stand for`() throws {
        var random = SplitMix(seed: 2)
        let a = Tensor(of: UInt8.self, shape: [2, 3, 4]) { elements in
            for index in elements.indices { elements[index] = .random(in: 0...255, using: &random) }
        }
        let b = Tensor(of: Int8.self, shape: [4, 5]) { elements in
            for index in elements.indices { elements[index] = .random(in: -128...127, using: &random) }
        }
        let aZero = try Tensor([3, 100, 255] as [UInt8], shape: [3])
        let bZero = try Tensor([0, 1, -128, 127, 5] as [Int8], shape: [5])
        let sums = try SingleNode("MatMulInteger").run([a, b, aZero, bZero])[0].array(of: Int32.self)
        for row in 0..<6 {
            for column in 0..<5 {
                var expected = 0.0
                for k in 0..<4 {
                    expected +=
                        (a.doubles[row * 4 + k] - aZero.doubles[row % 3])
                        * (b.doubles[k * 5 + column] - bZero.doubles[column])
                }
                #expect(Double(sums[row * 5 + column]) == expected)
            }
        }
        let wrong = Tensor(repeating: UInt8(0), shape: [2])
        #expect(try SingleNode("MatMulInteger").failure([a, b, wrong]) != nil)
        #expect(try SingleNode("MatMulInteger").failure([a, b, bZero]) == .elementTypesDiffer(.uint8, .int8))
        #expect(
            try SingleNode("MatMulInteger").failure([a, Tensor(scalar: Int8(0))])
                == .unsupportedRank(0, input: 1)
        )
    }

    @Test func `a quantized convolution pads with what stands for 0`() throws {
        let x = Tensor(repeating: UInt8(7), shape: [1, 1, 3])
        let w = Tensor(repeating: UInt8(3), shape: [1, 1, 3])
        let zero = (Tensor(scalar: UInt8(5)), Tensor(scalar: UInt8(2)))
        let node = SingleNode("ConvInteger", ["pads": .ints([1, 1])])
        #expect(try node.run([x, w, zero.0, zero.1])[0].array(of: Int32.self) == [4, 6, 4])
        let linear = SingleNode("QLinearConv", ["pads": .ints([1, 1])])
        let y = try linear.run([
            x, scalar(1), zero.0, w, try Tensor([0.5] as [Float], shape: [1]), zero.1, scalar(1),
            Tensor(scalar: UInt8(10)),
            try Tensor([1] as [Int32], shape: [1]),
        ])[0]
        // Sums 5, 7 and 5, halved, to even, and 10 added.
        #expect(y.array(of: UInt8.self) == [12, 14, 12])
        for (index, tensor) in [
            (1, Tensor(repeating: Float(1), shape: [2])), (8, Tensor(repeating: Int32(1), shape: [3])),
        ] {
            var inputs: [Tensor?] = [
                x, scalar(1), zero.0, w, scalar(1), zero.1, scalar(1), Tensor(scalar: UInt8(10)), nil,
            ]
            inputs[index] = tensor
            #expect(try linear.failure(inputs) != nil)
        }
        #expect(
            try SingleNode("ConvInteger", ["group": .int(0)]).failure([x, w]) == .attributeValue("group")
        )
    }
}
