import TensorCore

/// CumSum and CumProd: each element combined with all before it along an axis, or with `reverse` after it.
///
/// With `exclusive` the element itself does not count.
struct Cumulative: Operator {
    private let multiplies: Bool
    private let isExclusive: Bool
    private let isReversed: Bool

    init(multiplies: Bool, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        self.multiplies = multiplies
        isExclusive = try reader.flag("exclusive", default: false)
        isReversed = try reader.flag("reverse", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axes = try inputs[1].integers(input: 1)
        guard axes.count == 1 else { throw .inputValue(input: 1) }
        let work = CumulativeWork(
            x: x,
            axis: try x.shape.axis(axes[0]),
            multiplies: multiplies,
            isExclusive: isExclusive,
            isReversed: isReversed,
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }
}

private struct CumulativeWork: NumericWork {
    let x: Tensor
    let axis: Int
    let multiplies: Bool
    let isExclusive: Bool
    let isReversed: Bool
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let length = x.shape[axis]
        let inner = x.shape.elementCount(of: (axis + 1)..<x.shape.rank)
        let rows = length == 0 ? 0 : x.count / length
        return .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withPointer(to: T.self) { x in
                    for row in 0..<rows {
                        let start = row / inner * length * inner + row % inner
                        var value: T = multiplies ? 1 : 0
                        for step in 0..<length {
                            let place = start + (isReversed ? length - 1 - step : step) * inner
                            let next = multiplies ? T.product(value, x[place]) : T.sum(value, x[place])
                            y[place] = isExclusive ? value : next
                            value = next
                        }
                    }
                }
            }
        )
    }
}
