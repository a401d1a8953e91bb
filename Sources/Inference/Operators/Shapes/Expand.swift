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
