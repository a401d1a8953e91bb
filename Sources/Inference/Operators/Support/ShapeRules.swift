import TensorCore

/// Runs shape arithmetic of TensorCore; its error becomes an operator's.
@inline(__always)
func shaped<R>(_ body: () throws(ShapeError) -> R) throws(OperatorError) -> R {
    do throws(ShapeError) { return try body() } catch { throw .shape(error) }
}

extension Shape {
    /// The axis a node names, in `0 ..< rank`.
    func axis(_ axis: Int) throws(OperatorError) -> Int {
        try shaped { () throws(ShapeError) in try normalizedAxis(axis) }
    }

    /// The axes a node names, each in `0 ..< rank`, sorted; one named twice is an error.
    func axes(_ axes: [Int]) throws(OperatorError) -> [Int] {
        var result: [Int] = []
        for axis in axes {
            let normalized = try self.axis(axis)
            guard !result.contains(normalized) else {
                throw .shape(.axisOutOfRange(axis: axis, rank: rank))
            }
            result.append(normalized)
        }
        return result.sorted()
    }

    /// A shape from computed lengths.
    static func checked(_ dimensions: [Int]) throws(OperatorError) -> Shape {
        try shaped { () throws(ShapeError) in try Shape(checking: dimensions) }
    }

    /// The broadcast of two shapes.
    func broadcasting(_ other: Shape) throws(OperatorError) -> Shape {
        try shaped { () throws(ShapeError) in try broadcast(with: other) }
    }
}

extension Tensor {
    /// The same elements under another shape.
    func viewed(as shape: Shape) throws(OperatorError) -> Tensor {
        try shaped { () throws(ShapeError) in try reshaped(to: shape) }
    }

    /// The values of an int64 or int32 tensor.
    func integers(input: Int) throws(OperatorError) -> [Int] {
        switch elementType {
        case .int64: return withElements(of: Int64.self) { $0.map { Int($0) } }
        case .int32: return withElements(of: Int32.self) { $0.map { Int($0) } }
        default: throw .unsupportedElementType(elementType, input: input)
        }
    }
}

extension NodeInputs {
    /// The integers of an input such as `axes`, nil if it is absent; an attribute of older opsets wins.
    func integers(_ index: Int, unless attribute: [Int]? = nil) throws(OperatorError) -> [Int]? {
        if let attribute { return attribute }
        return try optional(index)?.integers(input: index)
    }

    /// The one float32 value of an input, nil if it is absent; an attribute of older opsets wins.
    func floatScalar(_ index: Int, unless attribute: Float? = nil) throws(OperatorError) -> Float? {
        if let attribute { return attribute }
        guard let tensor = optional(index) else { return nil }
        guard tensor.elementType == .float32 else {
            throw .unsupportedElementType(tensor.elementType, input: index)
        }
        guard tensor.count == 1 else { throw .inputValue(input: index) }
        return tensor.withPointer(to: Float.self) { $0[0] }
    }

    /// The one bool value of an input.
    func boolScalar(_ index: Int) throws(OperatorError) -> Bool {
        let tensor = try self[index]
        guard tensor.elementType == .bool else {
            throw .unsupportedElementType(tensor.elementType, input: index)
        }
        guard tensor.count == 1 else { throw .inputValue(input: index) }
        return tensor.isTrue
    }

    /// An input that must be float32.
    func float32(_ index: Int) throws(OperatorError) -> Tensor { try tensor(index, of: .float32) }

    /// An input that must have an element type.
    func tensor(_ index: Int, of elementType: ElementType) throws(OperatorError) -> Tensor {
        let tensor = try self[index]
        guard tensor.elementType == elementType else {
            throw .unsupportedElementType(tensor.elementType, input: index)
        }
        return tensor
    }

    /// An output written through typed pointers.
    func makeTensor<T: TensorElement>(
        of type: T.Type,
        _ shape: Shape,
        _ body: (UnsafeMutablePointer<T>) -> Void
    ) throws(OperatorError) -> Tensor {
        var tensor = try makeTensor(T.elementType, shape)
        tensor.withMutablePointer(to: T.self) { body($0) }
        return tensor
    }
}

extension Tensor {
    /// Whether a bool tensor of one element is true; any byte but 0 is, as files may hold others than 1.
    var isTrue: Bool { withRawPointer { $0.load(as: UInt8.self) != 0 } }
}
