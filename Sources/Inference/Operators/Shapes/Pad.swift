import TensorCore

/// Pad: more positions at the ends of axes, or with negative counts fewer.
///
/// The new elements are a constant, the nearest element (`edge`), or those found by going back into the tensor
/// (`reflect`) or on at its other end (`wrap`).
struct Pad: Operator, TakingAllTypes {
    private let mode: PadMode
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
    private func fill(
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
                    let from = mode.source(of: position - begin, length: length)
                    for row in 0..<outer {
                        let place = target + (row * longer + position) * inner
                        if let from {
                            place.copyMemory(from: source + (row * length + from) * inner, byteCount: inner)
                        } else {
                            PadMode.repeatBytes(fill, at: place, byteCount: inner)
                        }
                    }
                }
            }
        }
        return y
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
        let fill = try constantFill(packing)
        var rows = try packing.rows(0)
        let others = (0..<x.rank).filter { $0 != x.timeAxis }
        if others.contains(where: { counts[$0] != (0, 0) }) {
            rows = try packing.view(rows, as: others.map { x.constant($0) ?? 1 })
            let pads = [0] + others.map { counts[$0].begin } + [0] + others.map { counts[$0].end }
            rows = packing.emit(Pad(self, pads: pads), [rows, nil, fill.map { packing.constant($0) }])
            rows = try packing.finished(rows, features: others.map { result.constant($0) ?? 1 })[0]
        }
        guard let axis = x.timeAxis, let (from, to) = x.time.flatMap({ x in result.time.map { (x, $0) } }),
            counts[axis] != (0, 0)
        else { return [rows] }
        let window = SegmentWindow(
            begin: counts[axis].begin,
            end: counts[axis].end,
            mode: mode,
            element: try element(of: x.elementType, fill)
        )
        return [packing.emit(window, [rows, packing.offsets(from), packing.offsets(to)])]
    }

    /// The input that is the new element, which has to be known.
    private func constantFill(_ packing: NodePacking) throws(NoRule) -> Tensor? {
        guard packing.isPresent(2) else { return nil }
        let facts = try packing.input(2)
        guard let value = packing.known.constant(2) ?? facts.uniform else {
            throw NoRule("the new elements are not constant")
        }
        return value
    }

    /// The bytes of the new element; nil for zeros.
    private func element(of type: ElementType, _ fill: Tensor?) throws(NoRule) -> [UInt8]? {
        if let value, value != 0 {
            guard type == .float32 else { throw NoRule("the new elements are \(type)") }
            return Tensor(scalar: value).withBytes { Array($0) }
        }
        guard let fill, value == nil else { return nil }
        guard fill.elementType == type, fill.count == 1 else {
            throw NoRule("the new elements are not one \(type)")
        }
        return fill.withBytes { Array($0) }
    }
}
