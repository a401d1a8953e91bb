import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// BitCast and TensorScatter: what they move, and inputs that do not fit.
struct MovingTests {
    @Test func `bits go there and back`() throws {
        let x = try Tensor([1, -0.0, .nan, .infinity] as [Float], shape: [2, 2])
        let there = try SingleNode("BitCast", ["to": .int(6)]).run([x])[0]
        #expect(there.array(of: Int32.self)[0] == 0x3f80_0000)
        #expect(try SingleNode("BitCast", ["to": .int(1)]).run([there]) == [x])
        let bytes = try Tensor([0, 1, 7] as [UInt8], shape: [3])
        #expect(
            try SingleNode("BitCast", ["to": .int(9)]).run([bytes]) == [
                Tensor([false, true, true], shape: [3])
            ]
        )
        #expect(
            try SingleNode("BitCast", ["to": .int(7)]).failure([x]) == .elementTypesDiffer(.float32, .int64)
        )
        #expect(try SingleNode("BitCast", ["to": .int(8)]).failure([x]) == .attributeValue("to"))
    }

    @Test func `an update stands where its sample's index says, around the end only if told so`() throws {
        let cache = Tensor(repeating: Int8(0), shape: [2, 3, 1])
        let update = try Tensor([1, 2, 3, 4] as [Int8], shape: [2, 2, 1])
        func indices(_ values: [Int64]) throws -> Tensor { try Tensor(values, shape: [2]) }
        let linear = SingleNode("TensorScatter")
        #expect(
            try linear.run([cache, update, indices([0, 1])])[0].array(of: Int8.self) == [1, 2, 0, 0, 3, 4]
        )
        #expect(try linear.run([cache, update])[0].array(of: Int8.self) == [1, 2, 0, 3, 4, 0])
        let circular = SingleNode("TensorScatter", ["mode": .string("circular")])
        #expect(
            try circular.run([cache, update, indices([2, 1])])[0].array(of: Int8.self) == [2, 0, 1, 0, 3, 4]
        )
        for start in [2, -1, .min, .max] as [Int64] {
            let reason = OperatorError.indexOutOfRange(index: Int(start), length: 3)
            #expect(try linear.failure([cache, update, indices([0, start])]) == reason)
        }
        #expect(try circular.failure([cache, update, indices([0, 3])]) != nil)
        #expect(try linear.failure([cache, Tensor(repeating: Int8(0), shape: [2, 4, 1])]) != nil)
        #expect(try SingleNode("TensorScatter", ["axis": .int(0)]).failure([cache, update]) != nil)
        let none = Tensor(repeating: Int8(0), shape: [2, 0, 1])
        #expect(try linear.run([none, none]) == [none])
    }
}
