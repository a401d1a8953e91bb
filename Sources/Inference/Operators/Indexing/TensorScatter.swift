import TensorCore

/// TensorScatter: a cache with an update written into each sample from an index of its own on, along an axis.
///
/// In the mode `circular` what would stand behind the end stands at the beginning; else it is an error.
struct TensorScatter: Operator, TakingAllTypes {
    private let axis: Int
    private let isCircular: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...3)
        axis = try reader.int("axis", default: -2)
        switch try reader.string("mode") ?? "linear" {
        case "linear": isCircular = false
        case "circular": isCircular = true
        default: throw .attributeValue("mode")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let update = try inputs[1]
        let shape = try inputs[0].shape
        let type = try inputs[0].elementType
        guard update.elementType == type else { throw .elementTypesDiffer(type, update.elementType) }
        let axis = try shape.axis(axis)
        guard axis > 0 else { throw .attributeValue("axis") }
        guard update.shape.rank == shape.rank else { throw .unsupportedRank(update.shape.rank, input: 1) }
        let (length, count) = (shape[axis], update.shape[axis])
        for index in 0..<shape.rank
        where index == axis ? count > length : shape[index] != update.shape[index] {
            throw .shape(
                .dimensionMismatch(axis: index, expected: shape[index], actual: update.shape[index])
            )
        }
        let starts = try inputs.integers(2) ?? [Int](repeating: 0, count: shape[0])
        guard starts.count == shape[0] else {
            throw .shape(.elementCountMismatch(expected: shape[0], actual: starts.count))
        }
        for start in starts
        where start < 0 || start >= max(length, 1) || (!isCircular && start > length - count) {
            throw .indexOutOfRange(index: start, length: length)
        }
        let rowBytes = shape.elementCount(of: (axis + 1)..<shape.rank) * type.byteCount
        let blocks = shape.elementCount(of: 1..<axis)
        var cache = try inputs.take(0)
        cache.withMutableRawPointer { target in
            update.withRawPointer { source in
                for block in 0..<shape[0] * blocks {
                    for step in 0..<count {
                        let place = (starts[block / blocks] + step) % length
                        (target + (block * length + place) * rowBytes)
                            .copyMemory(from: source + (block * count + step) * rowBytes, byteCount: rowBytes)
                    }
                }
            }
        }
        return .one(cache)
    }
}
