import TensorCore

/// ScatterElements, its older name Scatter, and ScatterND: a copy of the data with updates at the places indices name.
///
/// Updates are made in their order; with a `reduction` each is combined with what stands at its place.
struct Scatter: Operator {
    private enum Addressing { case elements(axis: Int), slices }

    private let addressing: Addressing
    private let reduction: ScatterReduction?

    init(elements reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...3)
        addressing = .elements(axis: try reader.int("axis", default: 0))
        reduction = try ScatterReduction.read(&reader)
    }

    init(slices reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...3)
        addressing = .slices
        reduction = try ScatterReduction.read(&reader)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let indices = try inputs[1]
        let updates = try inputs[2]
        guard updates.elementType == x.elementType else {
            throw .elementTypesDiffer(x.elementType, updates.elementType)
        }
        let offsets: [Int]
        let count: Int
        switch addressing {
        case .elements(let axis):
            let places = try ElementPlaces(x.shape, axis: axis, indices: indices, input: 1)
            offsets = places.offsets
            count = 1
        case .slices:
            let places = try SlicePlaces(x.shape, indices: indices, batchAxes: 0, input: 1)
            offsets = places.offsets
            count = places.sliceCount
        }
        guard updates.count == offsets.count * count else {
            throw .shape(.elementCountMismatch(expected: offsets.count * count, actual: updates.count))
        }
        if let reduction {
            let work = ScatterWork(
                x: x,
                updates: updates,
                offsets: offsets,
                count: count,
                reduction: reduction
            )
            return try work.run(for: x.elementType, input: 0)
        }
        var y = x
        let size = x.elementType.byteCount
        y.withMutableRawPointer { target in
            updates.withRawPointer { source in
                for (index, place) in offsets.enumerated() {
                    (target + place * size).copyMemory(
                        from: source + index * count * size,
                        byteCount: count * size
                    )
                }
            }
        }
        return .one(y)
    }
}

/// How an update is combined with what stands at its place.
enum ScatterReduction: Sendable {
    case add, multiply, maximum, minimum

    /// The attribute `reduction`, nil for none.
    static func read(_ reader: inout AttributeReader) throws(OperatorError) -> ScatterReduction? {
        switch try reader.string("reduction") ?? "none" {
        case "none": return nil
        case "add": return .add
        case "mul": return .multiply
        case "max": return .maximum
        case "min": return .minimum
        default: throw .attributeValue("reduction")
        }
    }
}

private struct ScatterWork: NumericWork {
    let x: Tensor
    let updates: Tensor
    let offsets: [Int]
    let count: Int
    let reduction: ScatterReduction

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        var y = x
        y.withMutablePointer(to: T.self) { y in
            updates.withPointer(to: T.self) { updates in
                for (index, place) in offsets.enumerated() {
                    for element in 0..<count {
                        let update = updates[index * count + element]
                        y[place + element] = combine(y[place + element], update)
                    }
                }
            }
        }
        return .one(y)
    }

    @inline(__always)
    private func combine<T: TensorNumber>(_ a: T, _ b: T) -> T {
        switch reduction {
        case .add: T.sum(a, b)
        case .multiply: T.product(a, b)
        case .maximum: a < b ? b : a
        case .minimum: b < a ? b : a
        }
    }
}
