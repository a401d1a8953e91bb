import TensorCore

/// Shape: the lengths of the input's axes, or since opset 15 of a range of them.
struct ShapeOperator: Operator, TakingAllTypes {
    private let start: Int
    private let end: Int?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        let hasRange = reader.opset >= 15
        start = hasRange ? try reader.int("start", default: 0) : 0
        end = hasRange ? try reader.int("end") : nil
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let shape = try inputs[0].shape
        let first = Self.clamp(start, rank: shape.rank)
        let last = max(first, Self.clamp(end ?? shape.rank, rank: shape.rank))
        return .one(
            try inputs.makeTensor(of: Int64.self, Shape.checked([last - first])) { y in
                for axis in first..<last { y[axis - first] = Int64(shape[axis]) }
            }
        )
    }

    private static func clamp(_ axis: Int, rank: Int) -> Int {
        axis < 0 ? max(0, axis < -rank ? 0 : axis + rank) : min(axis, rank)
    }
}

/// Size: the number of elements.
struct Size: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        .one(Tensor(scalar: Int64(try inputs[0].count)))
    }
}

extension ShapeOperator: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        let first = Self.clamp(start, rank: x.rank)
        let last = max(first, Self.clamp(end ?? x.rank, rank: x.rank))
        return [
            try inputs.made(.int64, [.integer(last - first)], .numbers(Array(x.extents[first..<last])))
        ]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        throw NoRule("a shape is known")
    }
}
