import Kernels
import TensorCore
import Testing

struct LayoutTests {
    @Test func `a transposition moves every element`() {
        for rows in [0, 1, 2, 15, 16, 17, 40] {
            for columns in [0, 1, 3, 16, 33] {
                let x = (0..<rows * columns).map(Float.init)
                var y = [Float](repeating: -1, count: x.count)
                Transpose.matrix(x, into: &y, rows: rows, columns: columns)
                #expect(y == (0..<x.count).map { x[$0 % rows * columns + $0 / rows] })
            }
        }
    }

    static func permutations(_ items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.flatMap { first in
            permutations(items.filter { $0 != first }).map { [first] + $0 }
        }
    }

    private func check<T: FixedWidthInteger>(_ type: T.Type, _ lengths: [Int], _ permutation: [Int]) throws {
        let shape = try Shape(checking: lengths)
        let x = (0..<shape.elementCount).map { T(truncatingIfNeeded: $0) }
        var y = [T](repeating: 0, count: x.count)
        x.withUnsafeBytes { x in
            y.withUnsafeMutableBytes { y in
                guard let from = x.baseAddress, let to = y.baseAddress else { return }
                Transpose.permute(
                    from,
                    shape: shape,
                    permutation: permutation,
                    elementBytes: MemoryLayout<T>.size,
                    into: to
                )
            }
        }
        let result = permutation.map { lengths[$0] }
        var expected = y
        for flat in 0..<x.count {
            var index = [Int](repeating: 0, count: lengths.count)
            var rest = flat
            for axis in result.indices.reversed() {
                index[permutation[axis]] = rest % result[axis]
                rest /= result[axis]
            }
            expected[flat] = x[zip(index, lengths).reduce(0) { $0 * $1.1 + $1.0 }]
        }
        #expect(y == expected, "\(lengths) \(permutation)")
    }

    @Test func `every permutation agrees with index arithmetic for every element size`() throws {
        for lengths in [
            [], [5], [3, 20], [2, 17, 18], [2, 1, 3], [3, 2, 4, 5], [2, 3, 1, 2, 3], [0, 3],
        ] {
            for permutation in Self.permutations(Array(lengths.indices)) {
                try check(UInt8.self, lengths, permutation)
                try check(UInt16.self, lengths, permutation)
                try check(UInt32.self, lengths, permutation)
                try check(UInt64.self, lengths, permutation)
            }
        }
    }

    @Test func `gathering copies rows and counts negative indices from the end`() {
        let table: [Float] = [0, 1, 10, 11, 20, 21]
        var y = [Float](repeating: 0, count: 8)
        let bad = [2, 0, -1, -3].withUnsafeBufferPointer { (indices: UnsafeBufferPointer<Int64>) in
            Gather.rows(of: table, rows: 3, rowBytes: 8, indices: indices, into: &y)
        }
        #expect(bad == nil)
        #expect(y == [20, 21, 0, 1, 20, 21, 0, 1])
    }

    @Test(arguments: [Int64(3), -4, .max, .min])
    func `an index outside the table is named and nothing is written`(index: Int64) {
        let table: [Float] = [0, 10, 20]
        var y: [Float] = [7, 7]
        let bad = [0, index].withUnsafeBufferPointer { indices in
            Gather.rows(of: table, rows: 3, rowBytes: 4, indices: indices, into: &y)
        }
        #expect(bad == 1)
        #expect(y == [7, 7])
    }
}
