import TensorCore

/// Softmax and LogSoftmax: along one axis since opset 13, over all axes from `axis` on before.
struct SoftmaxOperator: Operator {
    private let axis: Int
    private let takesAllBehind: Bool
    private let logarithm: Bool

    init(logarithm: Bool, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        self.logarithm = logarithm
        takesAllBehind = reader.opset < 13
        axis = try reader.int("axis", default: takesAllBehind ? 1 : -1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let rank = x.shape.rank
        let axis = takesAllBehind && axis == rank ? rank : try x.shape.axis(axis)
        let end = takesAllBehind ? rank : axis + 1
        let outer = x.shape.elementCount(of: 0..<axis)
        let count = x.shape.elementCount(of: axis..<end)
        let inner = x.shape.elementCount(of: end..<rank)
        let work = SoftmaxWork(
            x: x,
            outer: outer,
            count: count,
            inner: inner,
            logarithm: logarithm,
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }
}

private struct SoftmaxWork: RealWork {
    let x: Tensor
    let outer: Int
    let count: Int
    let inner: Int
    let logarithm: Bool
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                guard x.count > 0 else { return }
                x.withPointer(to: T.self) {
                    T.softmax($0, into: y, outer: outer, axis: count, inner: inner, logarithm: logarithm)
                }
            }
        )
    }
}
