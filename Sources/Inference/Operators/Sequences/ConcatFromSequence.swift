import TensorCore

/// ConcatFromSequence: the tensors of a sequence one after the other along an axis, or along a new one.
struct ConcatFromSequence: Operator, TakingAllTypes {
    private let axis: Int
    private let addsAxis: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        guard let axis = try reader.int("axis") else { throw .missingAttribute("axis") }
        self.axis = axis
        addsAxis = try reader.flag("new_axis", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var parts = try inputs.sequence(0)
        guard let first = parts.first else { throw .inputValue(input: 0) }
        var shape = first.shape
        if addsAxis { shape = try shaped { () throws(ShapeError) in try shape.inserting(1, at: 0) } }
        let axis = try shape.axis(axis)
        if addsAxis {
            for index in parts.indices {
                let part = parts[index].shape
                guard part == first.shape else {
                    throw .shape(.notBroadcastable(first.shape.dimensions, part.dimensions))
                }
                let wide = try shaped { () throws(ShapeError) in try part.inserting(1, at: axis) }
                parts[index] = try parts[index].viewed(as: wide)
            }
        }
        return .one(try Concat.join(parts, axis: axis, inputs))
    }
}
