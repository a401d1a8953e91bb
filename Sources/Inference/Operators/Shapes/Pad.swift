import TensorCore

/// Pad: more positions at the ends of axes, or with negative counts fewer.
///
/// The new elements are a constant, the nearest element (`edge`), or those found by going back into the tensor
/// (`reflect`) or on at its other end (`wrap`).
struct Pad: Operator, TakingAllTypes {
    private enum Mode { case constant, edge, reflect, wrap }

    private let mode: Mode
    private let pads: [Int]?
    private let value: Float?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttributes = reader.opset < 11
        try reader.expectInputs(hasAttributes ? 1...1 : 2...4)
        switch try reader.string("mode") ?? "constant" {
        case "constant": mode = .constant
        case "edge": mode = .edge
        case "reflect": mode = .reflect
        case "wrap" where reader.opset >= 19: mode = .wrap
        default: throw .attributeValue("mode")
        }
        pads = hasAttributes ? try reader.ints("pads") : nil
        value = hasAttributes ? try reader.float("value", default: 0) : nil
        if hasAttributes && pads == nil { throw .missingAttribute("pads") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var x = try inputs[0]
        let rank = x.shape.rank
        guard let pads = try inputs.integers(1, unless: pads) else { throw .missingInput(1) }
        var axes = Array(0..<rank)
        if self.pads == nil, let named = try inputs.integers(3) {
            axes = []
            for axis in named { axes.append(try x.shape.axis(axis)) }
            guard Set(axes).count == axes.count else { throw .inputValue(input: 3) }
        }
        guard pads.count == 2 * axes.count else { throw .inputValue(input: 1) }
        let fill = try fill(for: x, inputs)
        for (index, axis) in axes.enumerated() {
            x = try pad(x, axis, pads[index], pads[axes.count + index], fill, inputs)
        }
        return .one(x)
    }

    /// The bytes of one new element.
    private func fill(for x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> [UInt8] {
        if let value, value != 0 {
            let scalar = try Cast.convert(Tensor(scalar: value), to: x.elementType, inputs, input: 0)
            return scalar.withBytes { Array($0) }
        }
        guard value == nil, let given = inputs.optional(2) else {
            return [UInt8](repeating: 0, count: x.elementType.byteCount)
        }
        guard given.elementType == x.elementType else {
            throw .elementTypesDiffer(x.elementType, given.elementType)
        }
        guard given.count == 1 else { throw .inputValue(input: 2) }
        return given.withBytes { Array($0) }
    }

    private func pad(
        _ x: Tensor,
        _ axis: Int,
        _ begin: Int,
        _ end: Int,
        _ fill: [UInt8],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        guard begin != 0 || end != 0 else { return x }
        let length = x.shape[axis]
        let limit = Shape.maximumElementCount
        guard (-limit...limit).contains(begin), (-limit...limit).contains(end), length + begin + end >= 0
        else {
            throw .inputValue(input: 1)
        }
        let longer = length + begin + end
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: axis, by: longer) }
        var y = try inputs.makeTensor(x.elementType, shape)
        guard shape.elementCount > 0 else { return y }
        guard mode == .constant || length > 0 else { throw .inputValue(input: 1) }
        let outer = x.shape.elementCount(of: 0..<axis)
        let inner = x.shape.elementCount(of: (axis + 1)..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for position in 0..<longer {
                    let from = self.source(of: position - begin, length: length)
                    for row in 0..<outer {
                        let place = target + (row * longer + position) * inner
                        if let from {
                            place.copyMemory(from: source + (row * length + from) * inner, byteCount: inner)
                        } else {
                            Self.repeatBytes(fill, at: place, byteCount: inner)
                        }
                    }
                }
            }
        }
        return y
    }

    /// Where the element at a position comes from that may lie outside; nil: it is the constant.
    private func source(of position: Int, length: Int) -> Int? {
        if position >= 0 && position < length { return position }
        switch mode {
        case .constant: return nil
        case .edge: return position < 0 ? 0 : length - 1
        case .wrap: return Self.modulo(position, length)
        case .reflect:
            guard length > 1 else { return 0 }
            let place = Self.modulo(position, 2 * (length - 1))
            return place < length ? place : 2 * (length - 1) - place
        }
    }

    private static func modulo(_ a: Int, _ b: Int) -> Int {
        let remainder = a % b
        return remainder < 0 ? remainder + b : remainder
    }

    private static func repeatBytes(
        _ element: [UInt8],
        at place: UnsafeMutableRawPointer,
        byteCount: Int
    ) {
        for index in 0..<byteCount {
            place.storeBytes(of: element[index % element.count], toByteOffset: index, as: UInt8.self)
        }
    }
}
