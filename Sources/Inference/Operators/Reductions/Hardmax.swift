import TensorCore

/// Hardmax: 1 at the first largest element of each row, 0 elsewhere.
///
/// A row runs along one axis since opset 13, over all axes from `axis` on before.
struct Hardmax: Operator {
    private let axis: Int
    private let takesAllBehind: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        takesAllBehind = reader.opset < 13
        axis = try reader.int("axis", default: takesAllBehind ? 1 : -1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let rank = x.shape.rank
        let axis = takesAllBehind && axis == rank ? rank : try x.shape.axis(axis)
        let end = takesAllBehind ? rank : axis + 1
        let work = HardmaxWork(x: x, axis: axis, end: end, inputs: inputs)
        return try work.run(for: x.elementType, input: 0)
    }
}

private struct HardmaxWork: RealWork {
    let x: Tensor
    let axis: Int
    let end: Int
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let length = x.shape.elementCount(of: axis..<end)
        let inner = x.shape.elementCount(of: end..<x.shape.rank)
        let rows = x.count == 0 ? 0 : x.count / length
        return .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withPointer(to: T.self) { x in
                    for row in 0..<rows {
                        let start = row / inner * length * inner + row % inner
                        var best = 0
                        for index in 0..<length {
                            y[start + index * inner] = 0
                            if x[start + index * inner] > x[start + best * inner] { best = index }
                        }
                        y[start + best * inner] = 1
                    }
                }
            }
        )
    }
}
