import Kernels
import ONNXGraph
import TensorCore

/// A part of a model that runs sequence by sequence: nodes with no packed rule, as the model has them.
///
/// Its inputs are taken out of packed rows, in the shape the model knows; what is known of a sequence from its length
/// alone, such as a mask or a shape, is made on the spot.
struct SequencePart: Sendable {
    /// Where an input of the part comes from.
    enum Source: Sendable {
        /// The packed value of this number among those handed over.
        case rows(Int)
        /// The facts say what it is.
        case known
    }

    struct Input: Sendable {
        let source: Source
        let facts: ValueFacts
    }

    let program: Program
    let inputs: [Input]

    /// The inputs for one sequence put into a frame.
    ///
    /// - Parameters:
    ///   - frame: The frame to fill.
    ///   - index: The sequence.
    ///   - length: How long it is.
    ///   - values: The packed values that ``Source/rows(_:)`` counts.
    ///   - starts: For each of them, its sequences' first rows; nil for one row a sequence.
    ///   - limits: How large what is made may be.
    /// - Throws: What is not as the plan expects.
    func fill(
        _ frame: borrowing Frame,
        sequence index: Int,
        length: Int,
        values: [Tensor],
        starts: [Segments?],
        _ limits: ModelLimits
    ) throws(OperatorError) {
        for (position, input) in inputs.enumerated() {
            let tensor: Tensor
            switch input.source {
            case .known: tensor = try Self.known(input.facts, length: length, limits)
            case .rows(let number):
                let range = starts[number].map { $0[index] } ?? index..<index + 1
                guard range.upperBound <= values[number].shape[0] else { throw .inputValue(input: number) }
                tensor = try Self.unpacked(values[number].slice(range), input.facts)
            }
            frame.set(program.inputs[position], to: tensor)
        }
    }

    /// The rows of one sequence in the shape the model knows.
    static func unpacked(_ rows: Tensor, _ facts: ValueFacts) throws(OperatorError) -> Tensor {
        var lengths: [Int] = []
        for axis in 0..<facts.rank { lengths.append(facts.constant(axis) ?? rows.shape[0]) }
        let shape = try Shape.checked(lengths)
        guard let axis = facts.timeAxis else { return try rows.viewed(as: shape) }
        let before = facts.featureAxes.count { $0 < axis }
        guard before > 0 else { return try rows.viewed(as: shape) }
        let order = Array(1...before) + [0] + Array((before + 1)..<max(before + 1, rows.shape.rank))
        return try permuted(rows, order).viewed(as: shape)
    }

    /// A value of the model for one sequence, as its rows; all elements in a row of their own if there is one for every two
    /// positions.
    static func packed(_ value: Tensor, _ facts: ValueFacts, length: Int) throws(OperatorError) -> Tensor {
        guard value.shape.rank == facts.rank, value.elementType == facts.elementType else {
            throw .unsupportedRank(value.shape.rank, input: 0)
        }
        for axis in 0..<facts.rank where facts.extents[axis](length) != value.shape[axis] {
            let expected = facts.extents[axis](length) ?? 0
            throw .shape(.dimensionMismatch(axis: axis, expected: expected, actual: value.shape[axis]))
        }
        if facts.hasPairs { return try value.viewed(as: Shape.checked([value.count])) }
        let axis = facts.timeAxis
        let rows = try Shape.checked([axis.map { value.shape[$0] } ?? 1] + facts.features)
        let before = axis.map { time in facts.featureAxes.count { $0 < time } } ?? 0
        guard let axis, before > 0 else { return try value.viewed(as: rows) }
        let order = [axis] + (0..<facts.rank).filter { $0 != axis }
        return try permuted(value, order).viewed(as: rows)
    }

    private static func permuted(_ x: Tensor, _ order: [Int]) throws(OperatorError) -> Tensor {
        let shape = try Shape.checked(order.map { x.shape[$0] })
        guard var y = Tensor(allocating: x.elementType, shape: shape) else {
            throw .outOfMemory(shape: shape.dimensions)
        }
        let (source, bytes) = (x.shape, x.elementType.byteCount)
        x.withRawPointer { x in
            y.withMutableRawPointer { y in
                Transpose.permute(x, shape: source, permutation: order, elementBytes: bytes, into: y)
            }
        }
        return y
    }

    /// A value that the length alone decides.
    static func known(_ facts: ValueFacts, length: Int, _ limits: ModelLimits) throws(OperatorError) -> Tensor
    {
        var lengths: [Int] = []
        for extent in facts.extents {
            guard let value = extent(length) else { throw .inputValue(input: 0) }
            lengths.append(value)
        }
        let shape = try Shape.checked(lengths)
        var scalars: [Tensor] = []
        switch facts.content {
        case .unknown: throw .inputValue(input: 0)
        case .positions:
            return Tensor(of: Int64.self, shape: shape) { elements in
                for index in elements.indices { elements[index] = Int64(index) }
            }
        case .uniform(let scalar):
            guard shape.elementCount * scalar.elementType.byteCount <= limits.tensorBytes else {
                throw .tensorTooLarge(shape: lengths, limitBytes: limits.tensorBytes)
            }
            guard let tensor = scalar.filling(shape) else { throw .outOfMemory(shape: lengths) }
            return tensor
        case .numbers(let numbers):
            for number in numbers {
                guard let value = number(length), let scalar = Tensor.scalar(value, facts.elementType) else {
                    throw .inputValue(input: 0)
                }
                scalars.append(scalar)
            }
        }
        let all = scalars
        return try shaped { () throws(ShapeError) in
            try Tensor.joining(all, facts.elementType).reshaped(to: shape)
        }
    }
}
