import TensorCore

/// The axes that a reduction takes away: an attribute in older opsets, an input in newer ones.
///
/// None named means all, or with `noop_with_empty_axes` none.
struct ReductionAxes: Sendable {
    private let axes: [Int]?
    private let keepsAxes: Bool
    private let emptyMeansNone: Bool

    init(inputSince opset: Int, _ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttribute = reader.opset < opset
        try reader.expectInputs(hasAttribute ? 1...1 : 1...2)
        axes = hasAttribute ? try reader.ints("axes") : nil
        keepsAxes = try reader.flag("keepdims", default: true)
        emptyMeansNone = hasAttribute ? false : try reader.flag("noop_with_empty_axes", default: false)
    }

    /// The axes of an input, each in `0 ..< rank`, sorted.
    func named(_ shape: Shape, _ inputs: NodeInputs) throws(OperatorError) -> [Int] {
        let named = try inputs.integers(1, unless: axes) ?? []
        guard named.isEmpty else { return try shape.axes(named) }
        return emptyMeansNone ? [] : Array(0..<shape.rank)
    }

    /// The axes of an input, if they are known, sorted.
    func known(_ inputs: NodeFacts) throws(NoRule) -> [Int] {
        let rank = try inputs[0].rank
        let named = try inputs.integers(1, unless: axes) ?? []
        guard named.isEmpty else { return try NodeFacts.axes(named, rank: rank) }
        return emptyMeansNone ? [] : Array(0..<rank)
    }

    /// The lengths of a result.
    func extents(_ x: ValueFacts, without axes: [Int]) -> [Number] {
        guard !keepsAxes else {
            return x.extents.enumerated().map { axes.contains($0.offset) ? .integer(1) : $0.element }
        }
        return x.extents.indices.filter { !axes.contains($0) }.map { x.extents[$0] }
    }

    /// Axes that an operator over rows takes away.
    init(rows axes: [Int]) {
        self.axes = axes
        keepsAxes = false
        emptyMeansNone = true
    }

    /// A result whose reduced axes have length 1, without them if they are not kept.
    func finish(_ result: Tensor, without axes: [Int]) throws(OperatorError) -> Tensor {
        guard !keepsAxes else { return result }
        var shape = result.shape
        for axis in axes.reversed() { shape = shape.removing(axis: axis) }
        return try result.viewed(as: shape)
    }
}
