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

    /// The same filling, of axes as they are.
    private init(_ other: Pad, pads: [Int]) {
        mode = other.mode
        value = other.value
        self.pads = pads
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
        let fill = try fill(for: x, inputs.optional(2), inputs)
        for (index, axis) in axes.enumerated() {
            x = try pad(x, axis, pads[index], pads[axes.count + index], fill, inputs)
        }
        return .one(x)
    }

    /// The bytes of one new element.
    fileprivate func fill(
        for x: Tensor,
        _ given: Tensor?,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [UInt8] {
        if let value, value != 0 {
            let scalar = try Cast.convert(Tensor(scalar: value), to: x.elementType, inputs, input: 0)
            return scalar.withBytes { Array($0) }
        }
        guard value == nil, let given else {
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
    fileprivate func source(of position: Int, length: Int) -> Int? {
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

    fileprivate static func repeatBytes(
        _ element: [UInt8],
        at place: UnsafeMutableRawPointer,
        byteCount: Int
    ) {
        for index in 0..<byteCount {
            place.storeBytes(of: element[index % element.count], toByteOffset: index, as: UInt8.self)
        }
    }
}

extension Pad: RaggedOperator {
    /// How many positions are put before and behind each axis.
    private func counts(_ inputs: NodeFacts) throws(NoRule) -> [(begin: Int, end: Int)] {
        let rank = try inputs[0].rank
        guard let pads = try inputs.integers(1, unless: pads) else { throw NoRule("the pads are missing") }
        var axes = Array(0..<rank)
        if self.pads == nil, let named = try inputs.integers(3, unless: nil) {
            axes = try named.map { (axis) throws(NoRule) in try NodeFacts.axis(axis, rank: rank) }
        }
        guard Set(axes).count == axes.count, pads.count == 2 * axes.count,
            pads.allSatisfy({ $0.magnitude <= Shape.maximumElementCount })
        else { throw NoRule("the pads are out of range") }
        var counts = [(begin: Int, end: Int)](repeating: (0, 0), count: rank)
        for (index, axis) in axes.enumerated() { counts[axis] = (pads[index], pads[axes.count + index]) }
        return counts
    }

    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        var extents = x.extents
        for (axis, count) in try counts(inputs).enumerated() {
            guard let extent = Number.sum(extents[axis], .integer(count.begin + count.end)) else {
                throw NoRule("the length is unknown")
            }
            extents[axis] = extent
        }
        return [try inputs.made(x.elementType, extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (x, result) = (try packing.input(0), packing.outputs[0])
        let counts = try counts(packing.known)
        var fill: PlanGraph.ValueID?
        if packing.isPresent(2) {
            let facts = try packing.input(2)
            guard let value = packing.known.constant(2) ?? facts.uniform else {
                throw NoRule("the new elements are not constant")
            }
            fill = packing.constant(value)
        }
        var rows = try packing.rows(0)
        let others = (0..<x.rank).filter { $0 != x.timeAxis }
        if others.contains(where: { counts[$0] != (0, 0) }) {
            rows = try packing.view(rows, as: others.map { x.constant($0) ?? 1 })
            let pads = [0] + others.map { counts[$0].begin } + [0] + others.map { counts[$0].end }
            rows = packing.emit(Pad(self, pads: pads), [rows, nil, fill])
            rows = try packing.finished(rows, features: others.map { result.constant($0) ?? 1 })[0]
        }
        guard let axis = x.timeAxis, let (from, to) = x.time.flatMap({ x in result.time.map { (x, $0) } }),
            counts[axis] != (0, 0)
        else { return [rows] }
        let pad = SegmentPad(pad: self, begin: counts[axis].begin, end: counts[axis].end)
        return [packing.emit(pad, [rows, packing.offsets(from), packing.offsets(to), fill])]
    }
}

/// Each sequence with more positions at its ends, or with negative counts fewer.
///
/// Inputs: the rows, the offsets of the sequences in them, those in the result, and the new element if there is one.
private struct SegmentPad: Operator {
    let pad: Pad
    let begin: Int
    let end: Int

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let from = try Segments(inputs[1], rows: x.shape[0])
        let to = try Segments(inputs[2])
        guard from.count == to.count else { throw .inputValue(input: 2) }
        for index in 0..<from.count where from[index].count + begin + end != to[index].count {
            throw .inputValue(input: 2)
        }
        let fill = try pad.fill(for: x, inputs.optional(3), inputs)
        let shape = try shaped { () throws(ShapeError) in try x.shape.replacing(axis: 0, by: to.rowCount) }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.shape.elementCount(of: 1..<x.shape.rank) * x.elementType.byteCount
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                for index in 0..<from.count {
                    let length = from[index].count
                    let first = source + from[index].lowerBound * bytes
                    for position in 0..<to[index].count {
                        let place = target + (to[index].lowerBound + position) * bytes
                        if let row = pad.source(of: position - begin, length: length) {
                            place.copyMemory(from: first + row * bytes, byteCount: bytes)
                        } else {
                            Pad.repeatBytes(fill, at: place, byteCount: bytes)
                        }
                    }
                }
            }
        }
        return .one(y)
    }
}
