import TensorCore

/// Which scale and zero point belong to an element: one for all, one for each index of an axis, or one for a block of
/// neighbours along an axis.
struct QuantizationGrid {
    /// The product of the lengths behind the axis.
    private let inner: Int
    private let length: Int
    private let block: Int
    /// How many parameters lie along the axis.
    private let parts: Int
    private let isBlocked: Bool
    /// Whether there is one parameter for all.
    let isUniform: Bool

    /// Checks the scale's shape.
    ///
    /// - Parameters:
    ///   - shape: The quantized tensor's.
    ///   - scale: A scalar, `[length]`, or the tensor's with `ceil(length / block)` along the axis.
    ///   - axis: The axis, read only if there is more than one scale.
    ///   - block: The number of neighbours that share a scale; 0 for all that the axis leaves.
    /// - Throws: The rule that the scale's shape breaks.
    init(_ shape: Shape, scale: Shape, axis: Int, block: Int) throws(OperatorError) {
        isUniform = scale.elementCount == 1 && scale.rank < 2
        isBlocked = block > 0
        guard !isUniform else {
            (inner, length, self.block, parts) = (1, 1, 1, 1)
            return
        }
        let axis = try shape.axis(axis)
        inner = shape.elementCount(of: (axis + 1)..<shape.rank)
        length = shape[axis]
        self.block = max(block, 1)
        parts = isBlocked ? (length + block - 1) / block : length
        let expected =
            try isBlocked
            ? shaped { () throws(ShapeError) in try shape.replacing(axis: axis, by: parts) }
            : Shape.checked([length])
        guard scale == expected else {
            throw .shape(.notBroadcastable(scale.dimensions, expected.dimensions))
        }
    }

    /// The number of the parameter of an element.
    @inline(__always)
    func parameter(of element: Int) -> Int {
        guard !isUniform else { return 0 }
        let row = element / inner
        guard isBlocked else { return row % length }
        return (row / length * parts + row % length / block) * inner + element % inner
    }
}

/// The attributes that QuantizeLinear and DequantizeLinear share.
struct QuantizationAttributes: Sendable {
    let axis: Int
    /// 0 unless scales belong to blocks.
    let block: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...3)
        axis = reader.opset >= 13 ? try reader.int("axis", default: 1) : 0
        let block = reader.opset >= 21 ? try reader.int("block_size", default: 0) : 0
        guard block >= 0, block < WindowAttributes.limit else { throw .attributeValue("block_size") }
        self.block = block
    }

    /// The grid of a tensor, its scales in float32, and its zero points, nil if there are none.
    func parameters(
        _ x: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> (grid: QuantizationGrid, scales: [Float], zeros: [Double]?) {
        let scale = try inputs[1]
        guard scale.elementType == .float32 || scale.elementType.isHalf else {
            throw .unsupportedElementType(scale.elementType, input: 1)
        }
        let grid = try QuantizationGrid(x.shape, scale: scale.shape, axis: axis, block: block)
        let scales = try Cast.convert(scale, to: .float32, inputs, input: 1).array(of: Float.self)
        guard let zero = inputs.optional(2) else { return (grid, scales, nil) }
        guard zero.shape == scale.shape || (grid.isUniform && zero.count == 1) else {
            throw .shape(.notBroadcastable(zero.shape.dimensions, scale.shape.dimensions))
        }
        return (grid, scales, try zero.quantizedNumbers(input: 2))
    }
}

extension Tensor {
    /// The values of a tensor of a type that quantized numbers can have, narrow floats included.
    func quantizedNumbers(input: Int) throws(OperatorError) -> [Double] {
        if elementType.isNarrowFloat { return widened.array(of: Float.self).map(Double.init) }
        return try widened.quantized(input: input).map(Double.init)
    }

    /// The values of a tensor of a type of integers that quantized numbers can have.
    func quantized(input: Int) throws(OperatorError) -> [Int] {
        switch elementType {
        case .int8: return array(of: Int8.self).map { Int($0) }
        case .uint8: return array(of: UInt8.self).map { Int($0) }
        case .int16: return array(of: Int16.self).map { Int($0) }
        case .uint16: return array(of: UInt16.self).map { Int($0) }
        case .int32: return array(of: Int32.self).map { Int($0) }
        default: throw .unsupportedElementType(elementType, input: input)
        }
    }
}

extension FixedWidthInteger {
    /// The nearest whole number, halves to even, plus a zero point; the nearest bound if it does not fit.
    @inline(__always)
    init(quantizing value: Double, zero: Double) {
        self.init(saturating: value.rounded(.toNearestOrEven) + zero)
    }
}

/// Work that is written once for the types of 8 and 16 bits that quantized numbers have.
protocol QuantizedWork {
    /// Does the work for results of a type.
    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor
}

extension QuantizedWork {
    /// Does the work for a type, or for the one that holds its numbers; others are refused as that of an input.
    func run(for type: ElementType, input: Int) throws(OperatorError) -> Tensor {
        switch type.widened {
        case .int8: return try run(Int8.self)
        case .uint8: return try run(UInt8.self)
        case .int16: return try run(Int16.self)
        case .uint16: return try run(UInt16.self)
        default: throw .unsupportedElementType(type, input: input)
        }
    }
}
