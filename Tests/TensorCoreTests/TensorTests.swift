import TensorCore
import Testing

struct TensorTests {
    private func counting(_ shape: Shape) throws -> Tensor {
        try Tensor((0..<shape.elementCount).map(Int32.init), shape: shape)
    }

    @Test func `a copy keeps its values when the other is written`() throws {
        let original = try counting([3, 4])
        var copy = original
        copy.withMutableElements(of: Int32.self) { $0[5] = -1 }
        #expect(original.array(of: Int32.self) == Array(0..<12))
        #expect(copy.array(of: Int32.self)[5] == -1)
        var again = copy
        again.withMutableBytes { $0[0] = 9 }
        #expect(copy.array(of: Int32.self)[0] == 0 && again.array(of: Int32.self)[0] == 9)
    }

    @Test func `rows and reshaped tensors share memory until one is written`() throws {
        let whole = try counting([4, 3])
        for start in 0...4 {
            for end in start...4 {
                let part = whole.slice(start..<end)
                #expect(part.shape == [end - start, 3])
                #expect(part.array(of: Int32.self) == Array(Int32(start * 3)..<Int32(end * 3)))
            }
        }
        for row in 0..<4 {
            let element = whole.element(at: row)
            #expect(element.shape == [3])
            #expect(element == (try whole.slice(row..<row + 1).reshaped(to: [3])))
        }
        var flat = try whole.reshaped(to: [12])
        let sharedBefore = !flat.isUniquelyReferenced()
        flat.withMutableElements(of: Int32.self) { $0[0] = 100 }
        let aloneAfter = flat.isUniquelyReferenced()
        #expect(sharedBefore && aloneAfter)
        #expect(whole.array(of: Int32.self)[0] == 0)
    }

    @Test func `equality is of bits: NaN equals itself, and the zeros differ`() throws {
        let nan = Tensor(scalar: Float.nan)
        #expect(nan == Tensor(scalar: Float.nan))
        #expect(Tensor(scalar: Float(0)) != Tensor(scalar: -Float(0)))
        #expect(Tensor(scalar: Int32(0)) != Tensor(scalar: UInt32(0)))
        #expect(try Tensor([Int8](), shape: [0, 2]) != Tensor([Int8](), shape: [2, 0]))
    }

    @Test func `a number of values that is not the shape's is refused`() throws {
        #expect(throws: ShapeError.elementCountMismatch(expected: 6, actual: 5)) {
            try Tensor([Float](repeating: 0, count: 5), shape: [2, 3])
        }
        #expect(throws: ShapeError.elementCountMismatch(expected: 12, actual: 10)) {
            try counting([3, 4]).reshaped(to: [10])
        }
    }

    @Test func `memory lies on cache lines, and every element type has its size`() throws {
        for type in ElementType.allCases {
            let tensor = Tensor(uninitialized: type, shape: [3, 5])
            #expect(tensor.byteCount == 15 * type.byteCount)
            tensor.withRawPointer { #expect(UInt(bitPattern: $0) % 64 == 0) }
        }
    }

    @Test func `borrowed memory is read in place and never written`() throws {
        final class Owner { var values: [Float] = [1, 2, 3, 4] }
        let owner = Owner()
        let values = owner.values
        try values.withUnsafeBytes { bytes in
            var tensor = try Tensor(borrowing: bytes, from: owner, elementType: .float32, shape: [4])
            #expect(tensor.array(of: Float.self) == [1, 2, 3, 4])
            let isAlone = tensor.isUniquelyReferenced()
            #expect(!isAlone)
            tensor.withMutableElements(of: Float.self) { $0[0] = 9 }
            #expect(tensor.array(of: Float.self)[0] == 9)
            #expect(throws: ShapeError.elementCountMismatch(expected: 5, actual: 4)) {
                try Tensor(borrowing: bytes, from: owner, elementType: .float32, shape: [5])
            }
        }
        #expect(values == [1, 2, 3, 4])
    }
}
