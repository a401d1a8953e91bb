import TensorCore

/// RotaryEmbedding: pairs of elements of each head turned by an angle that depends on the position.
///
/// `(a, b)` becomes `(a cos - b sin, a sin + b cos)`. A pair is an element of the first half of the rotated part and
/// its counterpart of the second or, interleaved, two neighbours. Input `[B, heads, L, width]` or
/// `[B, L, heads * width]`; the caches are `[positions, half]` with `position_ids` `[B, L]`, or `[B, L, half]`.
struct RotaryEmbedding: Operator {
    fileprivate let isInterleaved: Bool
    fileprivate let rotatedWidth: Int
    fileprivate let heads: Int?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...4)
        isInterleaved = try reader.flag("interleaved", default: false)
        rotatedWidth = try reader.int("rotary_embedding_dim", default: 0)
        guard rotatedWidth >= 0, rotatedWidth % 2 == 0 else { throw .attributeValue("rotary_embedding_dim") }
        let heads = try reader.int("num_heads", default: 0)
        guard heads >= 0 else { throw .attributeValue("num_heads") }
        self.heads = heads == 0 ? nil : heads
    }

    /// The same turn of heads that lie side by side.
    private init(_ other: RotaryEmbedding, heads: Int) {
        isInterleaved = other.isInterleaved
        rotatedWidth = other.rotatedWidth
        self.heads = heads
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        var count = x.shape.rank == 4 ? nil : heads
        if x.shape.rank == 3, count == nil { count = try impliedHeads(x.shape, inputs) }
        let layout = try HeadLayout(
            x.shape,
            heads: count,
            attribute: "num_heads",
            input: 0
        )
        let width = rotatedWidth == 0 ? layout.width : rotatedWidth
        guard width <= layout.width, width % 2 == 0 else { throw .attributeValue("rotary_embedding_dim") }
        return try RotaryWork(
            operation: self,
            inputs: inputs,
            layout: layout,
            half: width / 2,
            rows: rows(inputs, batch: x.shape[0], length: layout.length, half: width / 2)
        )
        .run(for: x.elementType, input: 0)
    }

    /// The number of heads of which all elements are turned, if nothing says another; the caches tell their width.
    private func impliedHeads(_ x: Shape, _ inputs: NodeInputs) throws(OperatorError) -> Int? {
        let caches = try inputs[1].shape
        guard rotatedWidth == 0, x.rank == 3, inputs.optional(3) != nil, caches.rank > 0,
            caches[caches.rank - 1] > 0
        else { return nil }
        let heads = x[2] / (2 * caches[caches.rank - 1])
        return heads > 0 ? heads : nil
    }

    /// For each sample and position, which row of the caches turns it.
    private func rows(
        _ inputs: NodeInputs,
        batch: Int,
        length: Int,
        half: Int
    ) throws(OperatorError) -> [Int] {
        let (cosines, sines) = (try inputs[1], try inputs[2])
        guard cosines.shape == sines.shape else {
            throw .shape(.notBroadcastable(sines.shape.dimensions, cosines.shape.dimensions))
        }
        let expectedRank = inputs.optional(3) == nil ? 3 : 2
        let rank = cosines.shape.rank
        guard rank == expectedRank else { throw .unsupportedRank(rank, input: 1) }
        guard cosines.shape[rank - 1] == half else {
            throw .shape(
                .dimensionMismatch(axis: rank - 1, expected: half, actual: cosines.shape[rank - 1])
            )
        }
        let places = try Shape.checked([batch, length])
        guard let positions = inputs.optional(3) else {
            guard cosines.shape[0] == batch, cosines.shape[1] == length else {
                throw .shape(.notBroadcastable(cosines.shape.dimensions, [batch, length, half]))
            }
            return Array(0..<places.elementCount)
        }
        guard positions.shape == places else {
            throw .shape(.notBroadcastable(positions.shape.dimensions, places.dimensions))
        }
        let rows = try positions.integers(input: 3)
        for row in rows where row < 0 || row >= cosines.shape[0] {
            throw .indexOutOfRange(index: row, length: cosines.shape[0])
        }
        return rows
    }
}

private struct RotaryWork: RealWork {
    let operation: RotaryEmbedding
    let inputs: NodeInputs
    let layout: HeadLayout
    let half: Int
    let rows: [Int]

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let (x, cosines, sines) = (try inputs[0], try inputs[1], try inputs[2])
        for (index, cache) in [(1, cosines), (2, sines)] where cache.elementType != T.elementType {
            throw .unsupportedElementType(cache.elementType, input: index)
        }
        return .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withPointer(to: T.self) { x in
                    cosines.withPointer(to: T.self) { cosines in
                        sines.withPointer(to: T.self) { sines in
                            turn(x, cosines, sines, into: y, batch: inputsBatch)
                        }
                    }
                }
            }
        )
    }

    private var inputsBatch: Int { layout.length == 0 ? 0 : rows.count / layout.length }

    private func turn<T: RealNumber>(
        _ x: UnsafePointer<T>,
        _ cosines: UnsafePointer<T>,
        _ sines: UnsafePointer<T>,
        into y: UnsafeMutablePointer<T>,
        batch: Int
    ) {
        let step = operation.isInterleaved ? 2 : 1
        let distance = operation.isInterleaved ? 1 : half
        for sample in 0..<batch {
            for head in 0..<layout.heads {
                for position in 0..<layout.length {
                    let start = layout.start(batch: sample, head: head) + position * layout.rowStride
                    let cache = rows[sample * layout.length + position] * half
                    for index in 0..<half {
                        let place = start + index * step
                        let (a, b) = (x[place], x[place + distance])
                        let (cosine, sine) = (cosines[cache + index], sines[cache + index])
                        y[place] = cosine * a - sine * b
                        y[place + distance] = sine * a + cosine * b
                    }
                    for index in 2 * half..<layout.width { y[start + index] = x[start + index] }
                }
            }
        }
    }
}

extension RotaryEmbedding: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (x, caches) = (try packing.input(0), try packing.input(1))
        guard x.rank == 3 || x.rank == 4, x.extents[0] == .integer(1), x.timeAxis == x.rank - 2,
            let last = x.constant(x.rank - 1), caches.rank > 0, let half = caches.constant(caches.rank - 1)
        else { throw NoRule("the positions are not those of the sequence") }
        let hasPositions = packing.isPresent(3)
        let implied = hasPositions && rotatedWidth == 0 ? last / max(2 * half, 1) : nil
        guard let heads = x.rank == 4 ? x.constant(1) : heads ?? implied, heads > 0 else {
            throw NoRule("the number of heads is unknown")
        }
        var operands: [PlanGraph.ValueID?] = [
            try packing.view(packing.rows(0), as: [x.rank == 4 ? heads * last : last])
        ]
        for index in 1...2 {
            let cache = try packing.input(index)
            if hasPositions {
                guard let table = packing.known.constant(index) else {
                    throw NoRule("a cache is not constant")
                }
                operands.append(packing.constant(table))
            } else {
                guard cache.extents == [.integer(1), x.extents[x.rank - 2], .integer(half)] else {
                    throw NoRule("the caches are not one row a position")
                }
                operands.append(try packing.view(packing.rows(index), as: [half]))
            }
        }
        if hasPositions {
            guard try packing.input(3).extents == [.integer(1), x.extents[x.rank - 2]] else {
                throw NoRule("there is not one number a position")
            }
            operands.append(try packing.rows(3))
        }
        let rows = packing.emit(RowRotation(rotation: RotaryEmbedding(self, heads: heads)), operands)
        return [try packing.view(rows, as: x.features)]
    }
}

/// The heads of every row, `[R, heads * width]`, turned as the row's position says.
///
/// Inputs: the rows, and either cosines and sines, `[R, half]`, or tables of them and the number of each row in these, `[R]`.
private struct RowRotation: Operator {
    let rotation: RotaryEmbedding

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        var operands: [Tensor?] = []
        for index in 0..<inputs.count {
            let tensor = try inputs[index]
            let isTable = inputs.count > 3 && (1...2).contains(index)
            operands.append(
                isTable ? tensor : try tensor.viewed(as: Shape.checked([1] + tensor.shape.dimensions))
            )
        }
        let result = try NodeInputs.evaluate(rotation, operands, outputCount: 1, budget: inputs.budget)
        guard case .one(let rows) = result else { throw .missingInput(0) }
        return .one(try rows.viewed(as: x.shape))
    }
}
