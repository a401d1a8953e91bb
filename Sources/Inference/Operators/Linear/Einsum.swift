import ONNXGraph
import TensorCore

/// Einsum: products of operands whose axes are named by letters, summed over those that the result does not name.
///
/// Any number of operands, in all types of numbers; integers wrap around. A letter twice in one operand is its
/// diagonal; `...` stands for further axes, which are broadcast from the last. Without `->` the result has the axes of
/// `...` and then, sorted, the letters that stand once. Operands are combined from the left, two at a time.
struct Einsum: Operator {
    /// What an axis is called: a letter's ASCII code, or ``ellipsis`` for several axes.
    typealias Label = Int

    static let ellipsis: Label = -1

    private let terms: [[Label]]
    private let result: [Label]

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        guard let equation = try reader.string("equation") else { throw .missingAttribute("equation") }
        guard let parsed = Self.parsed(equation) else { throw .attributeValue("equation") }
        (terms, result) = parsed
        try reader.expectInputs(terms.count...terms.count)
    }

    /// The names of the operands' axes and of the result's; nil if the equation breaks a rule.
    static func parsed(_ equation: String) -> (terms: [[Label]], result: [Label])? {
        let text = equation.utf8.filter { $0 != UInt8(ascii: " ") }
        let arrow = text.indices.dropLast().first {
            text[$0] == UInt8(ascii: "-") && text[$0 + 1] == UInt8(ascii: ">")
        }
        var terms: [[Label]] = []
        for part in text[..<(arrow ?? text.count)].split(
            separator: UInt8(ascii: ","),
            omittingEmptySubsequences: false
        ) {
            guard let labels = labels(part) else { return nil }
            terms.append(labels)
        }
        let named = terms.joined()
        guard let arrow else {
            let once = Set(named).filter { label in label != ellipsis && named.count { $0 == label } == 1 }
            return (terms, (named.contains(ellipsis) ? [ellipsis] : []) + once.sorted())
        }
        guard let result = labels(text[(arrow + 2)...]), Set(result).count == result.count,
            result.allSatisfy({ named.contains($0) || $0 == ellipsis })
        else { return nil }
        return (terms, result)
    }

    private static func labels(_ text: ArraySlice<UInt8>) -> [Label]? {
        var labels: [Label] = []
        var rest = text
        while let first = rest.first {
            if rest.starts(with: [UInt8](repeating: UInt8(ascii: "."), count: 3)) {
                guard !labels.contains(ellipsis) else { return nil }
                labels.append(ellipsis)
                rest = rest.dropFirst(3)
                continue
            }
            guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20), first >= UInt8(ascii: "A")
            else { return nil }
            labels.append(Int(first))
            rest = rest.dropFirst()
        }
        return labels
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let first = try inputs[0]
        var shapes: [Shape] = []
        for index in terms.indices {
            let tensor = try inputs[index]
            guard tensor.elementType == first.elementType else {
                throw .elementTypesDiffer(first.elementType, tensor.elementType)
            }
            shapes.append(tensor.shape)
        }
        let axes = try EinsumAxes(terms: terms, result: result, shapes: shapes)
        return .one(try EinsumWork(axes: axes, inputs: inputs).run(for: first.elementType, input: 0))
    }
}

/// The axes of an equation for operands of given shapes: every `...` spelt out, every length known.
struct EinsumAxes {
    typealias Label = Einsum.Label

    let terms: [[Label]]
    let result: [Label]
    /// What a letter's axes have in common; where one is longer than 1, those of length 1 are repeated.
    private(set) var lengths: [Label: Int] = [:]

    init(terms: [[Label]], result: [Label], shapes: [Shape]) throws(OperatorError) {
        var longest = 0
        for (input, labels) in terms.enumerated() {
            let rest = shapes[input].rank - labels.count { $0 != Einsum.ellipsis }
            guard labels.contains(Einsum.ellipsis) ? rest >= 0 : rest == 0 else {
                throw .unsupportedRank(shapes[input].rank, input: input)
            }
            longest = max(longest, rest)
        }
        // Numbers behind those of the letters, counted from the last axis.
        func spelt(_ labels: [Label], axes: Int) -> [Label] {
            labels.flatMap { $0 == Einsum.ellipsis ? (0..<axes).map { 256 + longest - axes + $0 } : [$0] }
        }
        self.terms = zip(terms, shapes).map { labels, shape in
            spelt(labels, axes: shape.rank - labels.count { $0 != Einsum.ellipsis })
        }
        self.result = spelt(result, axes: longest)
        for (labels, shape) in zip(self.terms, shapes) {
            for (axis, label) in labels.enumerated() {
                let length = lengths[label] ?? 1
                guard length == 1 || shape[axis] == 1 || length == shape[axis] else {
                    throw .shape(.dimensionMismatch(axis: axis, expected: length, actual: shape[axis]))
                }
                lengths[label] = length == 1 ? shape[axis] : length
            }
        }
    }

    /// The lengths of some axes.
    func dimensions(_ labels: [Label]) -> [Int] { labels.map { lengths[$0] ?? 1 } }

    /// The number of elements that some axes have.
    func count(_ labels: [Label]) throws(OperatorError) -> Int {
        try Shape.checked(dimensions(labels)).elementCount
    }
}
