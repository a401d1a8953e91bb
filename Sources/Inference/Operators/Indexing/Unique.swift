import TensorCore

/// Unique: the different elements of the flattened tensor, or the different slices of an axis.
///
/// Further outputs: where each first stands, which of them each element is, and how often each occurs. Sorted, or in the
/// order in which they first stand.
struct Unique: Operator {
    private let axis: Int?
    private let isSorted: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        try reader.expectOutputs(1...4)
        axis = try reader.int("axis")
        isSorted = try reader.flag("sorted", default: true)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var x = try inputs[0]
        if axis == nil { x = try x.viewed(as: Shape.checked([x.count])) }
        let axis = try x.shape.axis(axis ?? 0)
        // The slices become rows, and at the end the rows slices.
        let others = (0..<x.shape.rank).filter { $0 != axis }
        let rows = try TransposeOperator.permute(x, [axis] + others, inputs)
        let work = UniqueWork(rows: rows, axis: axis, isSorted: isSorted, inputs: inputs)
        return try work.run(for: x.elementType, input: 0)
    }
}

private struct UniqueWork: NumericWork {
    let rows: Tensor
    let axis: Int
    let isSorted: Bool
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let count = rows.shape[0]
        let width = rows.shape.elementCount(of: 1..<rows.shape.rank)
        // Rows without elements are all equal, and there may be more of them than memory.
        guard width > 0 || count == 0 else {
            throw .shape(.dimensionMismatch(axis: axis, expected: 0, actual: count))
        }
        var firsts: [Int] = []
        var members = [Int](repeating: 0, count: count)
        var counts: [Int] = []
        rows.withPointer(to: T.self) { x in
            let order = (0..<count).sorted { a, b in
                precedes(x + a * width, x + b * width, width) ?? (a < b)
            }
            for (position, row) in order.enumerated() {
                if position == 0 || precedes(x + order[position - 1] * width, x + row * width, width) != nil {
                    firsts.append(row)
                    counts.append(0)
                }
                members[row] = firsts.count - 1
                counts[firsts.count - 1] += 1
            }
        }
        if !isSorted {
            let order = firsts.indices.sorted { firsts[$0] < firsts[$1] }
            var rank = [Int](repeating: 0, count: order.count)
            for (position, group) in order.enumerated() { rank[group] = position }
            firsts = order.map { firsts[$0] }
            counts = order.map { counts[$0] }
            members = members.map { rank[$0] }
        }
        var outputs = [try slices(firsts, width)]
        for values in [firsts, members, counts] {
            outputs.append(
                try inputs.makeTensor(of: Int64.self, Shape.checked([values.count])) { y in
                    for (index, value) in values.enumerated() { y[index] = Int64(value) }
                }
            )
        }
        return .many(outputs)
    }

    /// Whether one row comes before another, NaN last; nil if they are equal.
    private func precedes<T: TensorNumber>(
        _ a: UnsafePointer<T>,
        _ b: UnsafePointer<T>,
        _ width: Int
    ) -> Bool? {
        for index in 0..<width {
            let (left, right) = (a[index], b[index])
            let (leftIsNaN, rightIsNaN) = (left != left, right != right)
            if leftIsNaN && rightIsNaN || left == right { continue }
            return rightIsNaN || !leftIsNaN && left < right
        }
        return nil
    }

    /// The rows of these numbers, with the axis back in its place.
    private func slices(_ numbers: [Int], _ width: Int) throws(OperatorError) -> Tensor {
        let shape = try shaped { () throws(ShapeError) in
            try rows.shape.replacing(axis: 0, by: numbers.count)
        }
        let bytes = width * rows.elementType.byteCount
        var result = try inputs.makeTensor(rows.elementType, shape)
        rows.withRawPointer { source in
            result.withMutableRawPointer { target in
                for (index, row) in numbers.enumerated() {
                    (target + index * bytes).copyMemory(from: source + row * bytes, byteCount: bytes)
                }
            }
        }
        var order = Array(1..<shape.rank)
        order.insert(0, at: axis)
        return try TransposeOperator.permute(result, order, inputs)
    }
}
