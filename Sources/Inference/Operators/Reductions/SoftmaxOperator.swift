import TensorCore

/// Softmax and LogSoftmax: along one axis since opset 13, over all axes from `axis` on before.
struct SoftmaxOperator: Operator {
    private let axis: Int
    private let takesAllBehind: Bool
    private let logarithm: Bool

    /// The axis as it is written, of a softmax without a logarithm.
    var plainAxis: Int? { logarithm ? nil : axis }

    init(logarithm: Bool, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        self.logarithm = logarithm
        takesAllBehind = reader.opset < 13
        axis = try reader.int("axis", default: takesAllBehind ? 1 : -1)
    }

    private init(_ softmax: SoftmaxOperator, axis: Int) {
        self.axis = axis
        takesAllBehind = softmax.takesAllBehind
        logarithm = softmax.logarithm
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

extension SoftmaxOperator: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let axis = try NodeFacts.axis(axis, rank: x.rank)
        guard x.elementType == .float32 else { throw NoRule("not float32") }
        let axes = (axis..<(takesAllBehind ? x.rank : axis + 1)).filter { x.extents[$0] != .integer(1) }
        if let time = x.time, axes == x.timeAxes {
            let softmax = SegmentSoftmax(logarithm: logarithm)
            return [packing.emit(softmax, [try packing.rows(0), packing.offsets(time)])]
        }
        guard let first = axes.first, !axes.contains(where: { x.timeAxes.contains($0) }) else {
            throw NoRule("positions and features are normalized together")
        }
        return [
            packing.emit(
                SoftmaxOperator(self, axis: try NodePacking.place(of: first, in: x)),
                [try packing.rows(0)]
            )
        ]
    }
}
