import Kernels
import TensorCore

/// What is done to the scaled scores of attention with a tensor of its own, before the softmax.
enum AttentionAdjustment: Sendable {
    /// The tensor, of floats, is added.
    case add
    /// The score becomes a value where the tensor, of bools, is so.
    case fill(where: Bool, Float)

    /// Where the element for query `i` and key `j` stands: at `start + i * row + j * column`.
    struct Place {
        let start: Int
        let row: Int
        let column: Int
    }

    /// The type of the tensor's elements.
    var elementType: ElementType {
        switch self {
        case .add: .float32
        case .fill: .bool
        }
    }

    /// The adjustment of one head.
    ///
    /// - Parameters:
    ///   - elements: The tensor's first element.
    ///   - place: Where those of the head are.
    /// - Returns: What the kernel does; it reads the elements when it runs.
    func ofHead(_ elements: UnsafeRawPointer, _ place: Place) -> HeadAttention.Adjustment {
        switch self {
        case .add:
            let start = elements.assumingMemoryBound(to: Float.self) + place.start
            return .add(HeadAttention.Bias(start: start, row: place.row, column: place.column))
        case .fill(let condition, let value):
            let start = elements.assumingMemoryBound(to: UInt8.self) + place.start
            let mask = HeadAttention.Mask(start: start, row: place.row, column: place.column)
            return .fill(mask, where: condition, value)
        }
    }

    /// Calls a function with the first elements of tensors.
    static func withElements(
        _ tensors: ArraySlice<Tensor>,
        _ pointers: [UnsafeRawPointer] = [],
        _ body: ([UnsafeRawPointer]) -> Void
    ) {
        guard let first = tensors.first else { return body(pointers) }
        first.withRawPointer { withElements(tensors.dropFirst(), pointers + [$0], body) }
    }
}

extension NodePacking {
    /// A tensor that adjusts scores `[..., queries, keys]` as rows, and what a row is for.
    ///
    /// - Parameters:
    ///   - adjustment: What is done with it.
    ///   - input: The node's input that it is.
    ///   - scoresRank: How many axes the scores have.
    ///   - headAxes: Those of the heads.
    /// - Returns: The rows, or elements, and the step that reads them.
    /// - Throws: Why it cannot be read where it stands.
    func adjusting(
        _ adjustment: AttentionAdjustment,
        _ input: Int,
        scoresRank: Int,
        headAxes: [Int]
    ) throws(NoRule) -> (rows: PlanGraph.ValueID, step: SegmentAttention.Step) {
        let facts = try self.input(input)
        func step(_ place: SegmentAttention.Place) -> SegmentAttention.Step {
            SegmentAttention.Step(adjustment: adjustment, place: place)
        }
        if let uniform = facts.uniform { return (constant(uniform), step(.constant(isPerHead: false))) }
        let isPerHead = !facts.features.isEmpty
        guard !isPerHead || facts.featureAxes.map({ $0 + scoresRank - facts.rank }) == headAxes else {
            throw NoRule("what adjusts the scores is not one of each head")
        }
        switch facts.timeAxes.count {
        case 0:
            let isShared = known.constant(input) != nil
            return (
                try sequenceValue(input),
                step(isShared ? .constant(isPerHead: isPerHead) : .sequences(isPerHead: isPerHead))
            )
        case 1:
            let isOfKey = facts.timeAxis == facts.rank - 1
            return (
                try rows(input),
                step(isOfKey ? .keys(isPerHead: isPerHead) : .queries(isPerHead: isPerHead))
            )
        default: return (try elements(input), step(.pairs(isPerHead: isPerHead)))
        }
    }
}
