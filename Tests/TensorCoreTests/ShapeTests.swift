import TensorCore
import Testing

struct ShapeTests {
    /// Every shape of up to `rank` axes with lengths of up to `length`.
    private func shapes(rank: Int, length: Int) -> [[Int]] {
        guard rank > 0 else { return [[]] }
        let shorter = shapes(rank: rank - 1, length: length)
        return shorter
            + shorter.filter { $0.count == rank - 1 }.flatMap { shape in
                (0...length).map { shape + [$0] }
            }
    }

    /// numpy's rule, written as it is told: from the last axis on, equal or 1.
    private func broadcast(_ a: [Int], _ b: [Int]) -> [Int]? {
        let rank = max(a.count, b.count)
        let a = Array(repeating: 1, count: rank - a.count) + a
        let b = Array(repeating: 1, count: rank - b.count) + b
        var result: [Int] = []
        for (x, y) in zip(a, b) {
            if x == y || y == 1 { result.append(x) } else if x == 1 { result.append(y) } else { return nil }
        }
        return result
    }

    @Test func `the number of elements is the product of the lengths`() throws {
        for dimensions in shapes(rank: 4, length: 3) {
            let shape = try Shape(checking: dimensions)
            #expect(shape.elementCount == dimensions.reduce(1, *))
            #expect(shape.rank == dimensions.count)
            #expect(shape.dimensions == dimensions)
            for start in 0...dimensions.count {
                for end in start...dimensions.count {
                    #expect(shape.elementCount(of: start..<end) == dimensions[start..<end].reduce(1, *))
                }
            }
        }
    }

    @Test func `broadcasting follows the rule for all pairs of small shapes, either way round`() throws {
        let all = shapes(rank: 3, length: 3)
        for a in all {
            for b in all {
                let (left, right) = (try Shape(checking: a), try Shape(checking: b))
                if let expected = broadcast(a, b) {
                    #expect(try left.broadcast(with: right).dimensions == expected)
                    #expect(try right.broadcast(with: left).dimensions == expected)
                } else {
                    #expect(throws: ShapeError.notBroadcastable(a, b)) { try left.broadcast(with: right) }
                }
            }
        }
    }

    @Test func `taking an axis out undoes putting it in`() throws {
        for dimensions in shapes(rank: 3, length: 3) {
            let shape = try Shape(checking: dimensions)
            for axis in 0...dimensions.count {
                for length in 0...3 {
                    let longer = try shape.inserting(length, at: axis)
                    var expected = dimensions
                    expected.insert(length, at: axis)
                    #expect(longer.dimensions == expected)
                    #expect(longer.elementCount == expected.reduce(1, *))
                    #expect(longer.removing(axis: axis) == shape)
                    #expect(try longer.replacing(axis: axis, by: 1).elementCount == shape.elementCount)
                }
            }
        }
    }

    @Test func `an axis is counted from either end, and none is beyond`() throws {
        let shape: Shape = [2, 3, 4]
        for axis in 0..<3 {
            #expect(try shape.normalizedAxis(axis) == axis)
            #expect(try shape.normalizedAxis(axis - 3) == axis)
        }
        for axis in [3, -4, .max, .min] {
            #expect(throws: ShapeError.axisOutOfRange(axis: axis, rank: 3)) {
                try shape.normalizedAxis(axis)
            }
        }
    }

    @Test func `equal shapes have equal hashes whatever they were made from`() throws {
        for dimensions in shapes(rank: 3, length: 2) {
            let shape = try Shape(checking: dimensions)
            let detour = try shape.inserting(7, at: 0).removing(axis: 0)
            #expect(detour == shape && detour.hashValue == shape.hashValue)
        }
    }

    @Test func `too many axes, negative lengths and absurd sizes are named, behind a zero as well`() {
        #expect(throws: ShapeError.rankTooHigh(rank: 9, limit: 8)) {
            try Shape(checking: Array(repeating: 1, count: 9))
        }
        #expect(throws: ShapeError.negativeDimension(axis: 1, length: -2)) { try Shape(checking: [3, -2]) }
        let half = Shape.maximumElementCount / 2
        let most = Shape.maximumEmptyCount
        for dimensions in [
            [half, 3], [.max, .max], [0, .max], [.max, 0, 2], [half, 0, 4], [most + 1, 0], [0, most, 2],
        ] {
            #expect(throws: ShapeError.tooLarge(dimensions: dimensions)) { try Shape(checking: dimensions) }
        }
        #expect(throws: Never.self) { try Shape(checking: [half, 2]) }
        #expect(throws: Never.self) { try Shape(checking: [most / 2, 0, 2]) }
    }
}
