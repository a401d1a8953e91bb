import TensorCore

/// ArgMax and ArgMin: where along an axis the largest or smallest element stands, the first or last of equal ones.
///
/// NaN counts as the extreme.
struct ArgumentExtreme: Operator {
    private let findsLargest: Bool
    private let axis: Int
    private let keepsAxis: Bool
    private let takesLast: Bool

    init(largest: Bool, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        findsLargest = largest
        axis = try reader.int("axis", default: 0)
        keepsAxis = try reader.flag("keepdims", default: true)
        takesLast = reader.opset >= 12 ? try reader.flag("select_last_index", default: false) : false
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axis = try x.shape.axis(axis)
        guard x.shape[axis] > 0 else {
            throw .shape(.dimensionMismatch(axis: axis, expected: 1, actual: 0))
        }
        let work = ArgumentWork(
            x: x,
            axis: axis,
            findsLargest: findsLargest,
            takesLast: takesLast,
            inputs: inputs
        )
        let output = try work.run(for: x.elementType, input: 0)
        guard case .one(let result) = output, !keepsAxis else { return output }
        return .one(try result.viewed(as: x.shape.removing(axis: axis)))
    }
}

private struct ArgumentWork: NumericWork {
    let x: Tensor
    let axis: Int
    let findsLargest: Bool
    let takesLast: Bool
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: axis, by: 1) }
        let length = x.shape[axis]
        let inner = x.shape.elementCount(of: (axis + 1)..<x.shape.rank)
        return .one(
            try inputs.makeTensor(of: Int64.self, shape) { y in
                x.withPointer(to: T.self) { x in
                    for row in 0..<shape.elementCount {
                        let start = row / inner * length * inner + row % inner
                        var best = 0
                        for index in 1..<length where beats(x[start + index * inner], x[start + best * inner])
                        {
                            best = index
                        }
                        y[row] = Int64(best)
                    }
                }
            }
        )
    }

    @inline(__always)
    private func beats<T: Comparable>(_ a: T, _ b: T) -> Bool {
        let (aIsNaN, bIsNaN) = (a != a, b != b)
        if aIsNaN || bIsNaN { return aIsNaN && (takesLast || !bIsNaN) }
        if a == b { return takesLast }
        return (a > b) == findsLargest
    }
}
