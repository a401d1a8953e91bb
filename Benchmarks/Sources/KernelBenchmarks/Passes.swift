import Kernels
import TensorCore

/// Prints elementwise kernels against a copy of the same memory.
func passes() throws {
    for count in [64 * 15, 64 * 300, 1 << 22] {
        let (x, y, z) = (buffer(count), buffer(count), buffer(count))
        let bytes = 8 * Double(count)
        let copy = bytes / Measurement { y.update(from: x, count: count) }.median * 1e-9
        print("\nelementwise, \(count) floats".left(40), "GB/s".right(8), "of copy".right(9))
        func line(_ name: String, _ bytes: Double, _ work: () -> Void) {
            let rate = bytes / Measurement(rounds: 5, work).median * 1e-9
            print("  \(name)".left(39), fixed(rate).right(8), (fixed(100 * rate / copy, 0) + "%").right(9))
        }
        line("copy", bytes) { y.update(from: x, count: count) }
        for operation in UnaryOperation.allCases where operation != .identity {
            line("\(operation)", bytes) { Elementwise.apply(operation, to: x, into: y, count: count) }
        }
        line("add", 1.5 * bytes) { Elementwise.apply(.add, x, y, into: z, count: count) }
        let (matrix, channel, mask) = (
            try Shape(checking: [64, count / 64]), try Shape(checking: [64, 1]),
            try Shape(checking: [1, count / 64])
        )
        line("[C,L] * [C,1]", bytes) {
            Elementwise.apply(.multiply, x, matrix, y, channel, into: z, shape: matrix)
        }
        line("[C,L] * [1,L]", bytes) {
            Elementwise.apply(.multiply, x, matrix, y, mask, into: z, shape: matrix)
        }
        line("sum over L", bytes / 2) {
            Reduction.sum.reduce(x, into: z, outer: 64, axis: count / 64, inner: 1)
        }
        line("softmax over L", bytes) { Softmax.apply(x, into: z, outer: 64, axis: count / 64) }
        line("transpose", bytes) { Transpose.matrix(x, into: z, rows: 64, columns: count / 64) }
    }
}
