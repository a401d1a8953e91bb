import TensorCore

/// An operator that makes one element of each window of a channel: MaxPool, AveragePool, LpPool.
///
/// Its packed rule runs the windows of every sequence over rows, channels side by side.
protocol PoolingOperator: RaggedOperator {
    /// How the windows slide.
    var windows: WindowAttributes { get }
    /// The type of the results.
    func resultTypes(_ type: ElementType) -> [ElementType]
    /// The results of all windows over rows.
    func pool(_ x: Tensor, _ windows: SegmentWindows, _ inputs: NodeInputs) throws(OperatorError) -> [Tensor]
}

/// The windows over the positions of every sequence.
struct SegmentWindows {
    let from: Segments
    let to: Segments
    /// The windows of each sequence.
    let axes: [WindowAxis]
    /// The elements of a row.
    let columns: Int
    /// The results' shape.
    let shape: Shape

    /// Calls the closure with each window: its sequence, its number there, the row of its result, and its rows.
    @inline(__always)
    func forEach(_ body: (_ sequence: Int, _ place: Int, _ row: Int, _ taps: Taps) -> Void) {
        for (sequence, axis) in axes.enumerated() {
            for place in 0..<axis.outputs {
                body(sequence, place, to[sequence].lowerBound + place, axis.taps(place))
            }
        }
    }
}

extension PoolingOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        guard x.rank > 2, let kernel = windows.kernel else { throw NoRule("there is no axis of windows") }
        var extents = Array(x.extents[..<2])
        for axis in 2..<x.rank {
            extents.append(
                try windows.outputs(axis - 2, of: x.rank - 2, length: x.extents[axis], kernel: kernel)
            )
        }
        var facts: [ValueFacts] = []
        for type in resultTypes(x.elementType) { facts.append(try inputs.made(type, extents)) }
        return facts
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (x, result) = (try packing.input(0), packing.outputs[0])
        guard let kernel = windows.kernel else { throw NoRule("there is no axis of windows") }
        guard let time = x.time, let axis = x.timeAxis, let longer = result.time else {
            guard packing.outputs.count == 1 else { throw NoRule("indices count the samples of the batch") }
            return try packing.perSequence(self, [packing.sample(0)])
        }
        let rank = x.rank - 2
        guard axis >= 2, x.featureAxes.allSatisfy({ $0 == 1 }),
            (2..<x.rank).allSatisfy({ $0 == axis || isTrivial($0 - 2, of: rank, kernel) })
        else { throw NoRule("windows extend over more than the positions") }
        let pool = SegmentPool(pooling: self, axis: axis - 2, rank: rank, kernel: kernel)
        return packing.emit(
            pool,
            [try packing.rows(0), packing.offsets(time), packing.offsets(longer)],
            outputs: packing.outputs.count
        )
    }

    /// Whether the window along an axis of length 1 is that one position.
    private func isTrivial(_ axis: Int, of rank: Int, _ kernel: [Int]) -> Bool {
        guard let window = try? windows.window(axis, of: rank, length: 1, kernel: kernel) else {
            return false
        }
        return window.kernel == 1 && window.begin == 0 && window.end == 0
    }
}

/// Windows over the positions of every sequence, `[R, C]` to `[R', C]`.
///
/// Inputs: the rows, the offsets of the sequences in them, and those in the result.
private struct SegmentPool: Operator {
    let pooling: any PoolingOperator
    /// Which of the windows' axes is that of the positions.
    let axis: Int
    let rank: Int
    let kernel: [Int]

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let from = try Segments(inputs[1], rows: x.shape[0])
        let to = try Segments(inputs[2])
        guard from.count == to.count else { throw .inputValue(input: 2) }
        var axes: [WindowAxis] = []
        axes.reserveCapacity(from.count)
        for index in 0..<from.count {
            let length = from[index].count
            let window = try pooling.windows.window(axis, of: rank, length: length, kernel: kernel)
            guard window.outputs == to[index].count else { throw .inputValue(input: 2) }
            axes.append(window)
        }
        let windows = SegmentWindows(
            from: from,
            to: to,
            axes: axes,
            columns: x.shape.elementCount(of: 1..<x.shape.rank),
            shape: try shaped { () throws(ShapeError) in try x.shape.replacing(axis: 0, by: to.rowCount) }
        )
        return .many(try pooling.pool(x, windows, inputs))
    }
}
