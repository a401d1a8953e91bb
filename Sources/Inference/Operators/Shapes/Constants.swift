import TensorCore

/// Constant: a tensor written in the node.
struct Constant: Operator, TakingAllTypes {
    private let tensor: Tensor

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(0...0)
        if let tensor = try reader.tensor("value") {
            self.tensor = tensor
        } else if let value = try reader.float("value_float") {
            tensor = Tensor(scalar: value)
        } else if let value = try reader.int("value_int") {
            tensor = Tensor(scalar: Int64(value))
        } else if let values = try reader.floats("value_floats") {
            tensor = try shaped { () throws(ShapeError) in
                try Tensor(values, shape: Shape(checking: [values.count]))
            }
        } else if let values = try reader.ints("value_ints") {
            tensor = try shaped { () throws(ShapeError) in
                try Tensor(values.map { Int64($0) }, shape: Shape(checking: [values.count]))
            }
        } else {
            throw .missingAttribute("value")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs { .one(tensor) }
}

/// ConstantOfShape: a tensor of the shape its input names, one value everywhere.
struct ConstantOfShape: Operator, TakingAllTypes {
    private let value: Tensor

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        value = try reader.tensor("value") ?? Tensor(scalar: Float(0))
        guard value.count == 1 else { throw .attributeValue("value") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let shape = try Shape.checked(try inputs[0].integers(input: 0))
        return .one(try Expand.broadcast(value.viewed(as: Shape()), to: shape, inputs))
    }
}

/// Range: numbers from `start` on, `delta` apart, up to but not including `limit`.
struct RangeOperator: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...3)
        if reader.opset >= 27 { _ = try reader.int("stash_type") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let bounds = [try inputs[0], try inputs[1], try inputs[2]]
        for (index, bound) in bounds.enumerated() {
            guard bound.elementType == bounds[0].elementType else {
                throw .elementTypesDiffer(bounds[0].elementType, bound.elementType)
            }
            guard bound.count == 1 else { throw .inputValue(input: index) }
        }
        switch bounds[0].elementType {
        case .int64: return .one(try integers(of: Int64.self, bounds, inputs))
        case .int32: return .one(try integers(of: Int32.self, bounds, inputs))
        case .float32: return .one(try floats(of: Float.self, bounds, inputs))
        case .float64: return .one(try floats(of: Double.self, bounds, inputs))
        default: throw .unsupportedElementType(bounds[0].elementType, input: 0)
        }
    }

    private func integers<T: TensorElement & FixedWidthInteger & SignedInteger>(
        of type: T.Type,
        _ bounds: [Tensor],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let (start, limit, delta) = values(of: T.self, bounds)
        guard delta != 0 else { throw .inputValue(input: 2) }
        var count = 0
        if delta > 0 ? limit > start : limit < start {
            let (span, overflow) = Int(limit).subtractingReportingOverflow(Int(start))
            guard !overflow else { throw .inputValue(input: 1) }
            count = Int(clamping: (span.magnitude - 1) / delta.magnitudeAsUInt + 1)
        }
        return try inputs.makeTensor(of: T.self, Shape.checked([count])) { y in
            for index in 0..<count { y[index] = start &+ T(truncatingIfNeeded: index) &* delta }
        }
    }

    private func floats<T: TensorElement & BinaryFloatingPoint>(
        of type: T.Type,
        _ bounds: [Tensor],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let (start, limit, delta) = values(of: T.self, bounds)
        let span = ((limit - start) / delta).rounded(.up)
        guard delta != 0, !span.isNaN else { throw .inputValue(input: 2) }
        let count = max(0, Int(saturating: span))
        return try inputs.makeTensor(of: T.self, Shape.checked([count])) { y in
            for index in 0..<count { y[index] = start + T(index) * delta }
        }
    }

    private func values<T: TensorElement>(of type: T.Type, _ bounds: [Tensor]) -> (T, T, T) {
        let values = bounds.map { $0.withPointer(to: T.self) { $0[0] } }
        return (values[0], values[1], values[2])
    }
}

extension SignedInteger where Self: FixedWidthInteger {
    fileprivate var magnitudeAsUInt: UInt { UInt(magnitude) }
}

extension ConstantOfShape: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        guard let extents = try inputs[0].numbers, let scalar = Scalar(value) else {
            throw NoRule("the shape is unknown")
        }
        return [try inputs.made(value.elementType, extents, .uniform(scalar))]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        throw NoRule("a value is the same everywhere")
    }
}

extension RangeOperator: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        guard try inputs[0].number == .integer(0), let limit = try inputs[1].number,
            try inputs[2].number == .integer(1), case .length = limit, try inputs[0].elementType == .int64
        else { throw NoRule("not the numbers of the positions") }
        return [try inputs.made(.int64, [limit], .positions)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        throw NoRule("the numbers of the positions are known")
    }
}
