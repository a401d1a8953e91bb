import ONNXGraph
import TensorCore

/// Brings what loops in loops put out to one length, so that the loops around them can put out every step of it.
struct StepLevelling {
    /// The first opset with a Pad whose widths are an input.
    static let firstOpset = 11

    /// The value that holds the length, int64 `[1]`; an input of the model's own graph.
    let steps: String

    /// Writes a value with as many elements on its first axis as ``steps`` says: cut, or zeros behind.
    func levelled(_ value: String, _ writer: inout NodeWriter) -> String {
        let (zero, one) = (writer.constant([0]), writer.constant([1]))
        let cut = writer.add("Slice", [value, zero, steps, zero])
        let missing = writer.add("Sub", [steps, axisLength(of: cut, &writer)])
        // Widths of all axes before, then of all axes behind.
        let rank = writer.add("Shape", [writer.add("Shape", [cut])])
        let none = Initializer("none", Tensor(repeating: Int64(0), shape: [1]))
        let attributes = [Attribute("value", .tensor(none))]
        let before = writer.add("ConstantOfShape", [rank], attributes)
        let others = writer.add("ConstantOfShape", [writer.add("Sub", [rank, one])], attributes)
        let widths = writer.add("Concat", [before, missing, others], [Attribute("axis", .int(0))])
        return writer.add("Pad", [cut, widths])
    }

    /// Writes the length of a value's first axis, float32 `[1]`.
    func length(of value: String, _ writer: inout NodeWriter) -> String {
        writer.add("Cast", [axisLength(of: value, &writer)], [Attribute("to", .int(1))])
    }

    /// Writes the largest element of lengths `[steps, 1]`, 0 if there is none; float32 `[1]`.
    func longest(of value: String, _ writer: inout NodeWriter) -> String {
        let zero = writer.constant(Tensor(repeating: Float(0), shape: [1]))
        let lengths = writer.add(
            "Concat",
            [writer.reshape(value, to: [-1]), zero],
            [Attribute("axis", .int(0))]
        )
        return writer.reduce("ReduceMax", lengths, axes: [0])
    }

    /// Writes what one step of a value looks like, behind an axis for each of some levelled loops.
    func zeros(like step: Tensor, loops: Int, _ writer: inout NodeWriter) -> String {
        let constant = writer.constant(step, named: "zeros")
        var axes = [String](repeating: steps, count: loops)
        if step.shape.rank > 0 { axes.append(writer.constant(step.shape.dimensions.map { Int64($0) })) }
        return writer.add("Expand", [constant, writer.add("Concat", axes, [Attribute("axis", .int(0))])])
    }

    private func axisLength(of value: String, _ writer: inout NodeWriter) -> String {
        let first = writer.constant([0])
        return writer.add("Gather", [writer.add("Shape", [value]), first], [Attribute("axis", .int(0))])
    }
}
