import TensorCore

/// TopK: the `k` largest or smallest elements along an axis, sorted, and where they stand.
///
/// Of equal elements the one with the lower index comes first; NaN counts as the largest.
struct TopK: Operator {
    private let axis: Int
    private let count: Int?
    private let takesLargest: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttribute = reader.opset < 10
        try reader.expectInputs(hasAttribute ? 1...1 : 2...2)
        try reader.expectOutputs(1...2)
        axis = try reader.int("axis", default: -1)
        count = hasAttribute ? try reader.int("k") : nil
        takesLargest = reader.opset >= 11 ? try reader.flag("largest", default: true) : true
        // Sorted is one of the orders that an unsorted result may have.
        if reader.opset >= 11 { _ = try reader.flag("sorted", default: true) }
        if hasAttribute && count == nil { throw .missingAttribute("k") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axis = try x.shape.axis(axis)
        let counts = try inputs.integers(1, unless: count.map { [$0] }) ?? []
        guard counts.count == 1, let count = counts.first, count >= 0, count <= x.shape[axis] else {
            throw .inputValue(input: 1)
        }
        let work = TopKWork(x: x, axis: axis, count: count, takesLargest: takesLargest, inputs: inputs)
        return try work.run(for: x.elementType, input: 0)
    }
}

private struct TopKWork: NumericWork {
    let x: Tensor
    let axis: Int
    let count: Int
    let takesLargest: Bool
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: axis, by: count) }
        let outer = x.shape.elementCount(of: 0..<axis)
        let length = x.shape[axis]
        let inner = x.shape.elementCount(of: (axis + 1)..<x.shape.rank)
        var indices = try inputs.makeTensor(.int64, shape)
        let values = try inputs.makeTensor(of: T.self, shape) { y in
            guard shape.elementCount > 0 else { return }
            x.withPointer(to: T.self) { x in
                indices.withMutablePointer(to: Int64.self) { indices in
                    for row in 0..<outer * inner {
                        let start = row / inner * length * inner + row % inner
                        let order = (0..<length).sorted { a, b in
                            precedes(x[start + a * inner], x[start + b * inner]) ?? (a < b)
                        }
                        for position in 0..<count {
                            let place = row / inner * count * inner + position * inner + row % inner
                            y[place] = x[start + order[position] * inner]
                            indices[place] = Int64(order[position])
                        }
                    }
                }
            }
        }
        return .many([values, indices])
    }

    /// Whether one value comes before another; nil if they are equal.
    @inline(__always)
    private func precedes<T: Comparable>(_ a: T, _ b: T) -> Bool? {
        let (aIsNaN, bIsNaN) = (a != a, b != b)
        if aIsNaN || bIsNaN { return aIsNaN == bIsNaN ? nil : aIsNaN == takesLargest }
        return a == b ? nil : (a > b) == takesLargest
    }
}
