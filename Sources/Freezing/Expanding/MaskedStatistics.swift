import ONNXGraph
import TensorCore

/// Writes the mean and the variance of valid positions with plain operators.
///
/// With X as `[B, C, P]` or `[B, P, C]` and a mask w of 0 and 1:
/// `n = sum(w)`, `mean = sum(w * x) / max(n, 1)`, `variance = sum(w * (x - mean)^2) / max(n, 1)`.
/// What stands at padding is not read. Where X has one position a sequence, as after pooling, every sequence with any
/// valid position counts once.
struct MaskedStatistics {
    /// Which axis the channels are on.
    enum Layout {
        /// Axis 1: `[B, C, ...]`.
        case channelsFirst
        /// The last axis, of a known length: `[B, ..., C]`.
        case channelsLast(Int)
    }

    /// X with three axes.
    let x: String
    /// X with the mean subtracted, with three axes.
    let difference: String
    /// `[1, C, 1]` or `[1, 1, C]`.
    let mean: String
    /// `[1, C, 1]` or `[1, 1, C]`.
    let variance: String
    /// The number of valid positions, one element.
    let count: String
    /// The number of all positions, one element.
    let total: String

    /// Writes the nodes.
    ///
    /// - Parameters:
    ///   - value: X.
    ///   - layout: Where its channels are.
    ///   - mask: A value that can be brought to `[B, 1, L]`; nil for all positions.
    ///   - writer: The graph.
    init(_ value: String, _ layout: Layout, mask: String?, _ writer: inout NodeWriter) {
        let axes: [Int64]
        switch layout {
        case .channelsFirst:
            x = writer.reshape(value, to: [0, 0, -1])
            axes = [0, 2]
        case .channelsLast(let channels):
            x = writer.reshape(value, to: [0, -1, Int64(channels)])
            axes = [0, 1]
        }
        let one = writer.constant(Tensor(scalar: Float(1)))
        let zero = writer.constant(Tensor(scalar: Float(0)))
        if let mask {
            let valid = Self.valid(mask, of: x, layout, &writer)
            let weights = writer.add("Cast", [valid], [Attribute("to", .int(1))])
            count = writer.reduce("ReduceSum", weights, axes: [0, 1, 2])
            let divisor = writer.add("Max", [count, one])
            let kept = writer.add("Where", [valid, x, zero])
            mean = writer.add("Div", [writer.reduce("ReduceSum", kept, axes: axes), divisor])
            difference = writer.add("Sub", [x, mean])
            let spread = writer.add("Where", [valid, difference, zero])
            let squares = writer.add("Mul", [spread, spread])
            variance = writer.add("Div", [writer.reduce("ReduceSum", squares, axes: axes), divisor])
            total = writer.add("Div", [writer.size(x), writer.size(mean)])
        } else {
            mean = writer.reduce("ReduceMean", x, axes: axes)
            difference = writer.add("Sub", [x, mean])
            let squares = writer.add("Mul", [difference, difference])
            variance = writer.reduce("ReduceMean", squares, axes: axes)
            total = writer.add("Div", [writer.size(x), writer.size(mean)])
            count = total
        }
    }

    /// Which positions are valid, bool `[B, 1, P]` or `[B, P, 1]`.
    private static func valid(
        _ mask: String,
        of x: String,
        _ layout: Layout,
        _ writer: inout NodeWriter
    ) -> String {
        let number = writer.add("Cast", [mask], [Attribute("to", .int(1))])
        var rows = writer.reshape(number, to: [0, 1, -1])
        var axis: Int64 = 2
        if case .channelsLast = layout {
            rows = writer.add("Transpose", [rows], [Attribute("perm", .ints([0, 2, 1]))])
            axis = 1
        }
        let index = writer.constant(Tensor(scalar: axis))
        let positions = writer.add("Gather", [writer.add("Shape", [x]), index], [Attribute("axis", .int(0))])
        let one = writer.constant(Tensor(scalar: Int64(1)))
        let isSingle = writer.add("Equal", [positions, one])
        let branches = [true, false].map { (isSingle: Bool) -> Graph in
            var inner = NodeWriter(opset: writer.opset, writer.shared, prefix: writer.prefix)
            let result =
                isSingle
                ? inner.reduce("ReduceMax", rows, axes: [axis]) : inner.add("Identity", [rows])
            writer.shared = inner.shared
            return Graph(
                name: isSingle ? "one_position" : "all_positions",
                nodes: inner.takeNodes(),
                outputs: [ValueInfo(result, elementType: .float32, dimensions: nil)]
            )
        }
        let weights = writer.add(
            "If",
            [isSingle],
            [Attribute("then_branch", .graph(branches[0])), Attribute("else_branch", .graph(branches[1]))]
        )
        return writer.add("Greater", [weights, writer.constant(Tensor(scalar: Float(0)))])
    }
}
