import ONNXGraph
import TensorCore

/// The numbers of the steps that run, one for each loop around a graph, outermost first; int64 scalars.
struct StepIndices {
    private var numbers: [(name: String, isVector: Bool)] = []
    /// Bounded numbers that the graph has already: by loop and last step.
    private var bounded: [String: String] = [:]

    /// The same for a graph further inward; what was bounded outside can be seen there, but may come too late.
    ///
    /// - Parameters:
    ///   - step: The number of the step in a loop's body; nil for a branch of If.
    ///   - isVector: Whether the number is declared as a vector of one element.
    /// - Returns: The numbers that can be seen there, none of them bounded.
    func entering(step: String?, isVector: Bool) -> StepIndices {
        var inner = StepIndices()
        inner.numbers = numbers + (step.map { [($0, isVector)] } ?? [])
        return inner
    }

    /// The name of `min(step, last)` for a loop, written at the first use in a graph.
    mutating func bounded(level: Int, last: Int, _ writer: inout NodeWriter) -> String {
        let key = "\(level)/\(last)"
        if let name = bounded[key] { return name }
        var step = numbers[level].name
        if numbers[level].isVector { step = writer.reshape(step, to: []) }
        let limit = writer.constant(Tensor(scalar: Int64(last)), named: "last_step")
        let name: String
        if writer.opset >= 12 {
            name = writer.add("Min", [step, limit])
        } else {
            name = writer.add("Where", [writer.add("Less", [step, limit]), step, limit])
        }
        bounded[key] = name
        return name
    }
}

/// Adds the number of the step to a loop's body.
enum StepInput {
    /// A Scan with one more scan input that counts its steps, and the nodes that must run before it.
    ///
    /// Where every input is scanned from its end the count runs backward as well: a step is a position.
    static func adding(
        to scan: inout Node,
        body: inout Graph,
        _ writer: inout NodeWriter
    ) -> String {
        let first = scan.inputs.count - scan.scanInputCount
        let axis = scan.ints("scan_input_axes")?.first ?? 0
        let steps = numbers(below: axis, of: scan.inputs[first], &writer)
        let step = writer.fresh("step")
        let count = scan.scanInputCount + 1
        scan.inputs.append(steps)
        scan.append(0, toList: "scan_input_axes", ofCount: count)
        scan.append(scan.scansBackward ? 1 : 0, toList: "scan_input_directions", ofCount: count)
        scan.set("num_scan_inputs", to: Int64(count))
        body.inputs.append(ValueInfo(step, elementType: .int64, dimensions: []))
        return step
    }

    /// `0 ..< n` with n the length of an axis; Range is of opset 11, before that it is where ones are not zero.
    private static func numbers(below axis: Int, of value: String, _ writer: inout NodeWriter) -> String {
        let shape = writer.add("Shape", [value])
        guard writer.opset < 11 else {
            let index = writer.constant(Tensor(scalar: Int64(axis)), named: "axis")
            let length = writer.add("Gather", [shape, index], [Attribute("axis", .int(0))])
            let zero = writer.constant(Tensor(scalar: Int64(0)), named: "zero")
            let one = writer.constant(Tensor(scalar: Int64(1)), named: "one")
            return writer.add("Range", [zero, length, one], named: writer.fresh("steps"))
        }
        let index = writer.constant([Int64(axis)])
        let length = writer.add("Gather", [shape, index], [Attribute("axis", .int(0))])
        let one = Initializer("one", Tensor(repeating: Int64(1), shape: [1]))
        let ones = writer.add("ConstantOfShape", [length], [Attribute("value", .tensor(one))])
        return writer.reshape(writer.add("NonZero", [ones]), to: [-1], named: writer.fresh("steps"))
    }
}

extension Node {
    fileprivate mutating func set(_ name: String, to value: Int64) {
        var list = attributes
        guard let index = list.firstIndex(where: { $0.name == name }) else { return }
        list[index].value = .int(value)
        attributes = list
    }
}
