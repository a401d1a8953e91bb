import TensorCore

/// Where: per element, `x` where the condition holds, else `y`; all three are broadcast.
struct Where: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(3...3) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let condition = try inputs[0]
        let x = try inputs[1]
        let y = try inputs[2]
        guard condition.elementType == .bool else {
            throw .unsupportedElementType(condition.elementType, input: 0)
        }
        guard x.elementType == y.elementType else { throw .elementTypesDiffer(x.elementType, y.elementType) }
        let shape = try condition.shape.broadcasting(x.shape).broadcasting(y.shape)
        let flags = try Expand.broadcast(condition, to: shape, inputs)
        let left = try Expand.broadcast(x, to: shape, inputs)
        let right = try Expand.broadcast(y, to: shape, inputs)
        var result = try inputs.makeTensor(x.elementType, shape)
        switch x.elementType.byteCount {
        case 1: select(of: UInt8.self, flags, left, right, into: &result)
        case 2: select(of: UInt16.self, flags, left, right, into: &result)
        case 4: select(of: UInt32.self, flags, left, right, into: &result)
        default: select(of: UInt64.self, flags, left, right, into: &result)
        }
        return .one(result)
    }

    private func select<T: BitwiseCopyable>(
        of type: T.Type,
        _ flags: Tensor,
        _ x: Tensor,
        _ y: Tensor,
        into result: inout Tensor
    ) {
        let count = result.count
        result.withMutableRawPointer { target in
            flags.withRawPointer { flags in
                x.withRawPointer { x in
                    y.withRawPointer { y in
                        let target = target.assumingMemoryBound(to: T.self)
                        let flags = flags.assumingMemoryBound(to: UInt8.self)
                        let x = x.assumingMemoryBound(to: T.self)
                        let y = y.assumingMemoryBound(to: T.self)
                        for index in 0..<count { target[index] = flags[index] != 0 ? x[index] : y[index] }
                    }
                }
            }
        }
    }
}

extension Where: PointwiseOperator {
    func resultType(_ types: [ElementType]) -> ElementType { types.count > 1 ? types[1] : types[0] }

    func equalInput(_ inputs: NodeFacts) -> Int? {
        guard let condition = inputs.optional(0)?.uniform, condition.elementType == .bool else { return nil }
        return condition.isTrue ? 1 : 2
    }
}
