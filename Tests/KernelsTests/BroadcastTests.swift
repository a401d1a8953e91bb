import Foundation
import Kernels
import TensorCore
import Testing

struct BroadcastTests {
    static func scalar(_ operation: BinaryOperation, _ a: Float, _ b: Float) -> Float {
        switch operation {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .minimum: a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
        case .maximum: a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
        case .power: powf(a, b)
        }
    }

    /// Index arithmetic, element by element.
    static func oracle(
        _ operation: BinaryOperation,
        _ a: [Float],
        _ aShape: [Int],
        _ b: [Float],
        _ bShape: [Int],
        _ shape: [Int]
    ) -> [Float] {
        func value(_ x: [Float], _ xShape: [Int], _ index: [Int]) -> Float {
            var offset = 0
            for (axis, length) in xShape.enumerated() {
                offset = offset * length + (length == 1 ? 0 : index[axis + shape.count - xShape.count])
            }
            return x[offset]
        }
        return (0..<shape.reduce(1, *)).map { flat in
            var index = shape
            var rest = flat
            for axis in shape.indices.reversed() {
                index[axis] = rest % shape[axis]
                rest /= shape[axis]
            }
            return scalar(operation, value(a, aShape, index), value(b, bShape, index))
        }
    }

    static let shapes: [([Int], [Int], [Int])] = [
        ([], [], []), ([1], [], [1]), ([5], [5], [5]), ([40], [1], [40]), ([1], [40], [40]),
        ([3, 17], [17], [3, 17]),
        ([17], [3, 17], [3, 17]), ([64, 15], [64, 1], [64, 15]), ([64, 1], [64, 15], [64, 15]),
        ([2, 6, 15], [2, 1, 15], [2, 6, 15]), ([2, 1, 15], [2, 6, 15], [2, 6, 15]),
        ([2, 6, 15], [1, 6, 1], [2, 6, 15]),
        ([4, 1], [1, 33], [4, 33]), ([3, 1, 2, 1], [1, 4, 1, 5], [3, 4, 2, 5]),
        ([2, 1, 2, 1, 2, 1, 2, 1], [2], [2, 1, 2, 1, 2, 1, 2, 2]),
        ([0, 3], [3], [0, 3]), ([2, 3, 1], [1, 1, 1], [2, 3, 1]), ([2, 0], [2, 1], [2, 0]),
    ]

    @Test(arguments: BinaryOperation.allCases)
    func `every broadcast agrees with index arithmetic`(operation: BinaryOperation) throws {
        var numbers = Numbers(seed: 2)
        for (aShape, bShape, shape) in Self.shapes {
            let a = numbers.array(aShape.reduce(1, *)).map { operation == .power ? abs($0) : $0 }
            let b = numbers.array(bShape.reduce(1, *))
            var c = [Float](repeating: 0, count: shape.reduce(1, *) + 1)
            try Elementwise.apply(
                operation,
                a,
                Shape(checking: aShape),
                b,
                Shape(checking: bShape),
                into: &c,
                shape: Shape(checking: shape)
            )
            #expect(c.removeLast() == 0, "writes behind the end")
            #expect(c.bits == Self.oracle(operation, a, aShape, b, bShape, shape).bits, "\(aShape) \(bShape)")
        }
    }

    @Test(arguments: BinaryOperation.allCases)
    func `edge values meet as IEEE 754 and numpy have it`(operation: BinaryOperation) {
        for a in edgeValues {
            let left = [Float](repeating: a, count: edgeValues.count)
            var c = left
            Elementwise.apply(operation, left, edgeValues, into: &c, count: c.count)
            for (b, value) in zip(edgeValues, c) {
                let expected = Self.scalar(operation, a, b)
                // The sign of a zero that is the smaller or larger of two zeros is left open.
                #expect(
                    [value].bits == [expected].bits || (value == 0 && expected == 0),
                    "\(a) \(b): \(value)"
                )
            }
        }
    }

    @Test func `the scalar two squares exactly whether or not it is broadcast`() throws {
        var numbers = Numbers(seed: 3)
        let a = numbers.array(37)
        let twos = [Float](repeating: 2, count: 37)
        var broadcast = a
        var paired = a
        try Elementwise.apply(
            .power,
            a,
            Shape(checking: [37]),
            twos,
            Shape(),
            into: &broadcast,
            shape: Shape(checking: [37])
        )
        Elementwise.apply(.power, a, twos, into: &paired, count: 37)
        #expect(broadcast.bits == paired.bits)
        #expect(broadcast == a.map { $0 * $0 })
    }
}
