import TensorCore

/// Slice: parts of some axes with a step, which may be negative; attributes before opset 10, inputs since.
struct Slice: Operator, TakingAllTypes {
    private struct Bounds {
        let starts: [Int]
        let ends: [Int]
        let axes: [Int]?
    }

    private let attributes: Bounds?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        guard reader.opset < 10 else {
            try reader.expectInputs(3...5)
            attributes = nil
            return
        }
        try reader.expectInputs(1...1)
        guard let starts = try reader.ints("starts") else { throw .missingAttribute("starts") }
        guard let ends = try reader.ints("ends") else { throw .missingAttribute("ends") }
        attributes = Bounds(starts: starts, ends: ends, axes: try reader.ints("axes"))
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let bounds: Bounds
        if let attributes {
            bounds = attributes
        } else {
            bounds = Bounds(
                starts: try inputs[1].integers(input: 1),
                ends: try inputs[2].integers(input: 2),
                axes: try inputs.integers(3)
            )
        }
        let steps = try attributes == nil ? inputs.integers(4) : nil
        let count = bounds.starts.count
        guard count == bounds.ends.count else { throw .inputValue(input: 2) }
        let named = bounds.axes ?? Array(0..<count)
        guard named.count == count, count <= x.shape.rank else { throw .inputValue(input: 3) }
        guard steps.map({ $0.count == count }) ?? true else { throw .inputValue(input: 4) }
        _ = try x.shape.axes(named)
        var view = StridedView(x.shape)
        var dimensions = x.shape.dimensions
        for index in 0..<count {
            let axis = try x.shape.axis(named[index])
            let step = steps.map { $0[index] } ?? 1
            guard step != 0, step != .min else { throw .inputValue(input: 4) }
            let (start, length) = Self.extent(
                bounds.starts[index],
                bounds.ends[index],
                step: step,
                length: x.shape[axis]
            )
            view.take(axis: axis, start: start, step: step, count: length)
            dimensions[axis] = length
        }
        var result = try inputs.makeTensor(x.elementType, Shape.checked(dimensions))
        let bytes = x.elementType.byteCount
        x.withRawPointer { source in
            result.withMutableRawPointer { target in view.copy(source, to: target, elementBytes: bytes) }
        }
        return .one(result)
    }

    /// The first element and the number of elements, with bounds clamped as ONNX says.
    private static func extent(_ start: Int, _ end: Int, step: Int, length: Int) -> (start: Int, count: Int) {
        let lowest = step > 0 ? 0 : -1
        let highest = step > 0 ? length : length - 1
        func clamp(_ bound: Int) -> Int {
            let position = bound < 0 ? (bound < -length ? -1 : bound + length) : bound
            return min(max(position, lowest), highest)
        }
        let first = step > 0 ? clamp(start) : min(max(clamp(start), -1), length - 1)
        let last = clamp(end)
        let span = step > 0 ? last - first : first - last
        guard span > 0 else { return (0, 0) }
        return (first, (span - 1) / Int(clamping: step.magnitude) + 1)
    }
}
