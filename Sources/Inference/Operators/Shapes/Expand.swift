import TensorCore

/// Expand: broadcasts the input to the shape its second input names, by the multidirectional rule.
struct Expand: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let target = try Shape.checked(try inputs[1].integers(input: 1))
        return .one(try Self.broadcast(x, to: x.shape.broadcasting(target), inputs))
    }

    /// A tensor repeated to a shape that it broadcasts to.
    static func broadcast(_ x: Tensor, to shape: Shape, _ inputs: NodeInputs) throws(OperatorError) -> Tensor
    {
        if x.shape == shape { return x }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.elementType.byteCount
        let view = StridedView(x.shape, broadcastTo: shape)
        x.withRawPointer { source in
            y.withMutableRawPointer { target in view.copy(source, to: target, elementBytes: bytes) }
        }
        return y
    }
}

extension Expand: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        guard let target = try inputs[1].numbers else { throw NoRule("the new shape is unknown") }
        var content = ValueFacts.Content.unknown
        if let uniform = x.uniform, let scalar = Scalar(uniform) { content = .uniform(scalar) }
        return [try inputs.made(x.elementType, try ValueFacts.broadcast(x.extents, target), content)]
    }

    func equalInput(_ inputs: NodeFacts) -> Int? {
        guard let x = inputs.optional(0), let target = inputs.optional(1)?.numbers else { return nil }
        return (try? ValueFacts.broadcast(x.extents, target)) == x.extents ? 0 : nil
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (x, result) = (try packing.input(0), packing.outputs[0])
        guard let operand = try packing.operand(0, alignedTo: result), operand.varies,
            x.features == result.features
        else { throw NoRule("features are repeated") }
        return [operand.id]
    }
}
