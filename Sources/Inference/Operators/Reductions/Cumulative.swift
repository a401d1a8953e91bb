import TensorCore

/// CumSum and CumProd: each element combined with all before it along an axis, or with `reverse` after it.
///
/// With `exclusive` the element itself does not count.
struct Cumulative: Operator {
    fileprivate let multiplies: Bool
    fileprivate let isExclusive: Bool
    fileprivate let isReversed: Bool

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
        let axis = try x.shape.axis(axes[0])
        let length = x.shape[axis]
        let outer = x.shape.elementCount(of: 0..<axis)
        let work = CumulativeWork(
            operation: self,
            x: x,
            sequences: (0..<outer).lazy.map { $0 * length..<($0 + 1) * length },
            inner: x.shape.elementCount(of: (axis + 1)..<x.shape.rank),
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }
}

/// Elements `[N, inner]`, of which each range of N is a sequence of its own.
private struct CumulativeWork<Sequences: Collection<Range<Int>>>: NumericWork {
    let operation: Cumulative
    let x: Tensor
    let sequences: Sequences
    let inner: Int
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                guard x.count > 0 else { return }
                x.withPointer(to: T.self) { x in
                    for positions in sequences {
                        for column in 0..<inner { combine(x, into: y, positions, column) }
                    }
                }
            }
        )
    }

    @inline(__always)
    private func combine<T: TensorNumber>(
        _ x: UnsafePointer<T>,
        into y: UnsafeMutablePointer<T>,
        _ positions: Range<Int>,
        _ column: Int
    ) {
        var value: T = operation.multiplies ? 1 : 0
        for step in 0..<positions.count {
            let position =
                operation.isReversed ? positions.upperBound - 1 - step : positions.lowerBound + step
            let place = position * inner + column
            let next = operation.multiplies ? T.product(value, x[place]) : T.sum(value, x[place])
            y[place] = operation.isExclusive ? value : next
            value = next
        }
    }
}

extension Cumulative: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        guard let axes = try packing.known.integers(1, unless: nil), axes.count == 1 else {
            throw NoRule("there is no one axis")
        }
        let axis = try NodeFacts.axis(axes[0], rank: x.rank)
        let rows = try packing.rows(0)
        if let time = x.time, axis == x.timeAxis {
            return [packing.emit(SegmentCumulative(operation: self), [rows, packing.offsets(time)])]
        }
        let place = try NodePacking.place(of: axis, in: x)
        return [packing.emit(self, [rows, packing.constant(Tensor(scalar: Int64(place)))])]
    }
}

/// The positions of each sequence combined one after the other, feature by feature.
///
/// Inputs: the rows, and the offsets of the sequences in them.
private struct SegmentCumulative: Operator {
    let operation: Cumulative

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let segments = try Segments(inputs[1], rows: x.shape[0])
        let work = CumulativeWork(
            operation: operation,
            x: x,
            sequences: (0..<segments.count).lazy.map { segments[$0] },
            inner: x.shape.elementCount(of: 1..<x.shape.rank),
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }
}
