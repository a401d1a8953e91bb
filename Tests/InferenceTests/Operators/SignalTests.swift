import Foundation
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Fourier transforms against their sum, windows against their laws, and inputs that do not fit.
struct SignalTests {
    private func integer(_ value: Int64) -> Tensor { Tensor(scalar: value) }

    /// The sum that defines a transform of real and imaginary parts side by side.
    private func oracle(_ x: [Double], sign: Double) -> [Double] {
        let count = x.count / 2
        var result: [Double] = []
        for k in 0..<count {
            var (real, imaginary) = (0.0, 0.0)
            for j in 0..<count {
                let angle = sign * 2 * Double.pi * Double(j * k % count) / Double(count)
                real += x[2 * j] * cos(angle) - x[2 * j + 1] * sin(angle)
                imaginary += x[2 * j] * sin(angle) + x[2 * j + 1] * cos(angle)
            }
            result += [real, imaginary]
        }
        return result
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 12, 31, 64, 100])
    func `a transform is its sum, and its inverse takes it back`(_ length: Int) throws {
        var random = SplitMix(seed: UInt64(length))
        let x = try Tensor.random([1, length, 2], &random).widened
        let y = try SingleNode("DFT").run([x])[0]
        for (a, b) in zip(y.doubles, oracle(x.doubles, sign: -1)) { #expect(abs(a - b) < 1e-11) }
        let back = try SingleNode("DFT", ["inverse": .int(1)]).run([y])[0]
        for (a, b) in zip(back.doubles, x.doubles) { #expect(abs(a - b) < 1e-12) }
    }

    @Test(arguments: [2, 3, 6, 9, 16])
    func `half of a real signal's frequencies give it back`(_ length: Int) throws {
        var random = SplitMix(seed: UInt64(length))
        let x = try Tensor.random([2, length, 3, 1], &random)
        let axis = integer(1)
        let half = try SingleNode("DFT", ["onesided": .int(1)]).run([x, nil, axis])[0]
        #expect(half.shape.dimensions == [2, length / 2 + 1, 3, 2])
        let node = SingleNode("DFT", ["onesided": .int(1), "inverse": .int(1)])
        let back = try node.run([half, integer(Int64(length)), axis])[0]
        #expect(Tolerance.close(absolute: 1e-6, because: "float32").firstDifference(back, x) == nil)
        let older = try SingleNode("DFT", opset: 17, ["axis": .int(1), "onesided": .int(1)]).run([x])[0]
        #expect(older == half)
    }

    @Test func `a signal is cut or filled with zeros to the length`() throws {
        var random = SplitMix(seed: 1)
        let x = try Tensor.random([1, 6, 1], &random)
        let short = try SingleNode("DFT").run([x, integer(4)])[0]
        let cut = try Tensor(Array(x.array(of: Float.self)[..<4]), shape: [1, 4, 1])
        #expect(try short == SingleNode("DFT").run([cut])[0])
        let filled = try Tensor(x.array(of: Float.self) + [0, 0], shape: [1, 8, 1])
        #expect(try SingleNode("DFT").run([x, integer(8)]) == SingleNode("DFT").run([filled]))
    }

    @Test func `frames of a transform are the transforms of frames`() throws {
        var random = SplitMix(seed: 2)
        let x = try Tensor.random([2, 11, 1], &random)
        let window = try Tensor.random([4], &random)
        let y = try SingleNode("STFT").run([x, integer(3), window, integer(4)])[0]
        #expect(y.shape.dimensions == [2, 3, 3, 2])
        for sample in 0..<2 {
            for frame in 0..<3 {
                var line: [Double] = []
                for index in 0..<4 {
                    line += [x.doubles[sample * 11 + frame * 3 + index] * window.doubles[index], 0]
                }
                let expected = oracle(line, sign: -1)[..<6]
                let start = (sample * 3 + frame) * 6
                for (a, b) in zip(y.doubles[start...], expected) { #expect(abs(a - b) < 1e-5) }
            }
        }
    }

    @Test(arguments: ["HannWindow", "HammingWindow", "BlackmanWindow"])
    func `a window is symmetric, and periodic ones are a longer one cut`(_ type: String) throws {
        for count in [0, 1, 2, 5, 8] as [Int64] {
            let node = SingleNode(type, ["periodic": .int(0), "output_datatype": .int(11)])
            let weights = try node.run([integer(count)])[0].doubles
            #expect(weights.count == Int(count))
            for (a, b) in zip(weights, weights.reversed()) { #expect(abs(a - b) < 1e-12) }
            let longer = try node.run([integer(count + 1)])[0].doubles
            let periodic = try SingleNode(type, ["output_datatype": .int(11)]).run([integer(count)])[0]
            #expect(periodic.elementType == .float64)
            if count > 0 {
                for (a, b) in zip(periodic.doubles, longer) { #expect(abs(a - b) < 1e-12) }
            }
        }
        #expect(try SingleNode(type).failure([integer(-1)]) == .inputValue(input: 0))
        #expect(try SingleNode(type).failure([integer(.max)]) != nil)
        let bool = SingleNode(type, ["output_datatype": .int(9)])
        #expect(try bool.failure([integer(3)]) == .attributeValue("output_datatype"))
    }

    @Test func `inputs of transforms that do not fit are named`() throws {
        let x = Tensor(repeating: Float(1), shape: [1, 4, 1])
        let node = SingleNode("DFT")
        #expect(try node.failure([x, nil, integer(2)]) == .shape(.axisOutOfRange(axis: 2, rank: 2)))
        #expect(try node.failure([x, nil, integer(.min)]) != nil)
        for length in [0, -1, 1 << 31, .max] as [Int64] {
            #expect(try node.failure([x, integer(length)]) == .inputValue(input: 1))
        }
        #expect(try node.failure([x, integer(1 << 30)]) != nil)
        #expect(try node.failure([Tensor(repeating: Float(1), shape: [1, 0, 1])]) == .inputValue(input: 1))
        #expect(try node.failure([Tensor(repeating: Float(1), shape: [1, 4, 3])]) != nil)
        #expect(try node.failure([Tensor(repeating: Int32(1), shape: [1, 4, 1])]) != nil)
        let frames = SingleNode("STFT")
        #expect(try frames.failure([x, integer(0)]) == .inputValue(input: 1))
        #expect(try frames.failure([x, integer(1), nil, integer(5)]) == .inputValue(input: 3))
        #expect(try frames.failure([x, integer(1), nil, integer(.max)]) == .inputValue(input: 3))
        #expect(
            try frames.failure([x, integer(1), Tensor(repeating: Float(1), shape: [2]), integer(3)]) != nil
        )
        #expect(try frames.failure([Tensor(repeating: Float(1), shape: [1, 4, 2]), integer(1)]) != nil)
        #expect(try frames.run([x, integer(.max)])[0].shape.dimensions == [1, 1, 3, 2])
    }

    @Test func `bands of the mel scale are triangles, and those above half the rate are refused`() throws {
        func weights(_ bands: Int64, _ length: Int64, _ high: Float) -> [Tensor?] {
            [integer(bands), integer(length), integer(8192), Tensor(scalar: Float(0)), Tensor(scalar: high)]
        }
        let node = SingleNode("MelWeightMatrix")
        let y = try node.run(weights(8, 64, 4096))[0]
        #expect(y.shape.dimensions == [33, 8])
        #expect(y.doubles.allSatisfy { (0...1).contains($0) })
        #expect(try node.failure(weights(8, 64, 9000)) == .inputValue(input: 4))
        #expect(try node.failure(weights(8, 64, .nan)) == .inputValue(input: 4))
        #expect(try node.failure(weights(0, 64, 4096)) == .inputValue(input: 0))
        #expect(try node.failure(weights(.max, 64, 4096)) == .inputValue(input: 0))
        #expect(try node.failure(weights(8, .min, 4096)) == .inputValue(input: 1))
    }
}
