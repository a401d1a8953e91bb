import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// ReduceProd, ReduceL1, ReduceLogSum and ReduceLogSumExp.
///
/// Floats are combined in Double in row-major order, so that a result depends on its own elements alone; integers wrap
/// around.
struct ReduceRows: Operator {
    enum Formula: Sendable { case product, sumOfMagnitudes, logarithmOfSum, logarithmOfSumOfExponentials }

    private let formula: Formula
    private let axes: ReductionAxes

    init(_ formula: Formula, _ reader: inout AttributeReader) throws(OperatorError) {
        self.formula = formula
        axes = try ReductionAxes(inputSince: 18, &reader)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let named = try axes.named(x.shape, inputs)
        let kept = (0..<x.shape.rank).filter { !named.contains($0) }
        let rows = try TransposeOperator.permute(x, kept + named, inputs)
        let count = rows.shape.elementCount(of: kept.count..<rows.shape.rank)
        var shape = x.shape
        for axis in named {
            let before = shape
            shape = try shaped { () throws(ShapeError) in try before.replacing(axis: axis, by: 1) }
        }
        let result: Tensor
        switch x.elementType {
        case .float32: result = try floats(of: Float.self, rows, shape, count, inputs)
        case .float64: result = try floats(of: Double.self, rows, shape, count, inputs)
        default:
            let work = IntegerRows(formula: formula, rows: rows, shape: shape, count: count, inputs: inputs)
            result = try work.run(for: x.elementType, input: 0)
        }
        return .one(try axes.finish(result, without: named))
    }

    private func floats<T: TensorElement & BinaryFloatingPoint>(
        of type: T.Type,
        _ rows: Tensor,
        _ shape: Shape,
        _ count: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        try inputs.makeTensor(of: T.self, shape) { y in
            rows.withPointer(to: T.self) { x in
                for row in 0..<shape.elementCount {
                    let values = UnsafeBufferPointer(start: x + row * count, count: count)
                    y[row] = T(value(of: values.lazy.map { Double($0) }))
                }
            }
        }
    }

    private func value(of row: some Collection<Double>) -> Double {
        switch formula {
        case .product: return row.reduce(1, *)
        case .sumOfMagnitudes: return row.reduce(0) { $0 + $1.magnitude }
        case .logarithmOfSum: return log(row.reduce(0, +))
        case .logarithmOfSumOfExponentials:
            let largest = row.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
            guard largest.isFinite else { return largest }
            return largest + log(row.reduce(0) { $0 + exp($1 - largest) })
        }
    }
}

private struct IntegerRows: IntegerWork {
    let formula: ReduceRows.Formula
    let rows: Tensor
    let shape: Shape
    let count: Int
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        let multiplies = formula == .product
        guard multiplies || formula == .sumOfMagnitudes else {
            throw .unsupportedElementType(rows.elementType, input: 0)
        }
        return try inputs.makeTensor(of: T.self, shape) { y in
            rows.withPointer(to: T.self) { x in
                for row in 0..<shape.elementCount {
                    let values = UnsafeBufferPointer(start: x + row * count, count: count)
                    y[row] =
                        multiplies
                        ? values.reduce(1) { $0 &* $1 }
                        : values.reduce(0) { $0 &+ T(truncatingIfNeeded: $1.magnitude) }
                }
            }
        }
    }
}
