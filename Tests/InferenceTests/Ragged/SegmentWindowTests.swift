import TensorCore
import TestSupport
import Testing

@testable import Inference

struct SegmentWindowTests {
    /// Three sequences with more or fewer positions at their ends, or nil where that cannot be.
    private func window(_ lengths: [Int], _ begin: Int, _ end: Int, _ mode: PadMode) throws -> [Float]? {
        let longer = lengths.map { $0 + begin + end }
        func offsets(_ lengths: [Int]) throws -> Tensor {
            let sums = lengths.reduce(into: [Int64(0)]) { $0.append(($0.last ?? 0) + Int64($1)) }
            return try Tensor(sums, shape: [sums.count])
        }
        guard longer.allSatisfy({ $0 >= 0 }) else { return nil }
        let count = lengths.reduce(0, +)
        let rows = try Tensor((0..<2 * count).map(Float.init), shape: [count, 2])
        var budget = RunBudget(.standard)
        let outputs = try? NodeInputs.evaluate(
            SegmentWindow(
                begin: begin,
                end: end,
                mode: mode,
                element: Tensor(scalar: Float(-5)).withBytes { Array($0) }
            ),
            [rows, offsets(lengths), offsets(longer)],
            outputCount: 1,
            budget: &budget
        )
        guard case .one(let y)? = outputs else { return nil }
        return y.array(of: Float.self)
    }

    @Test(arguments: [PadMode.constant, .edge, .reflect, .wrap])
    func `each position of a window holds what the mode finds at its place, however much is left out`(
        mode: PadMode
    ) throws {
        for length in 0...4 {
            for begin in -5...5 {
                for end in -5...5 {
                    let lengths = [length, 3, length + 1]
                    guard lengths.allSatisfy({ $0 + begin + end >= 0 }) else { continue }
                    var expected: [Float] = []
                    var first = 0
                    var isDefined = true
                    for length in lengths {
                        for position in 0..<(length + begin + end) {
                            isDefined = isDefined && (length > 0 || mode == .constant)
                            guard isDefined else { break }
                            let row = mode.source(of: position - begin, length: length)
                            expected +=
                                row.map { [Float(2 * (first + $0)), Float(2 * (first + $0) + 1)] } ?? [
                                    -5, -5,
                                ]
                        }
                        first += length
                    }
                    #expect(try window(lengths, begin, end, mode) == (isDefined ? expected : nil))
                }
            }
        }
    }

    @Test func `a row outside comes from the edge, from going back, or from the other end`() {
        let places = -4..<7
        #expect(places.map { PadMode.edge.source(of: $0, length: 3) } == [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2])
        #expect(
            places.map { PadMode.reflect.source(of: $0, length: 3) } == [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]
        )
        #expect(places.map { PadMode.wrap.source(of: $0, length: 3) } == [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
        #expect(
            places.map { PadMode.constant.source(of: $0, length: 3) } == [
                nil, nil, nil, nil, 0, 1, 2, nil, nil, nil, nil,
            ]
        )
    }
}
