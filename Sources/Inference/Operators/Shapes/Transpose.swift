import Kernels
import TensorCore

/// Transpose: axis `i` of the result is axis `perm[i]` of the input; reversed if `perm` is not given.
struct TransposeOperator: Operator, TakingAllTypes {
    private let permutation: [Int]?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        permutation = try reader.ints("perm")
        if let permutation, permutation.sorted() != Array(permutation.indices) {
            throw .attributeValue("perm")
        }
    }

    /// The order that is given.
    init(permutation: [Int]) { self.permutation = permutation }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let permutation = permutation ?? Array((0..<x.shape.rank).reversed())
        guard permutation.count == x.shape.rank else { throw .unsupportedRank(x.shape.rank, input: 0) }
        return .one(try Self.permute(x, permutation, inputs))
    }

    /// The tensor with its axes in another order; shares memory if no element has to move.
    static func permute(
        _ x: Tensor,
        _ permutation: [Int],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let shape = try Shape.checked(permutation.map { x.shape[$0] })
        let moving = permutation.filter { x.shape[$0] != 1 }
        if moving == moving.sorted() { return try x.viewed(as: shape) }
        var y = try inputs.makeTensor(x.elementType, shape)
        let bytes = x.elementType.byteCount
        let (source, order) = (x.shape, permutation)
        x.withRawPointer { x in
            y.withMutableRawPointer { y in
                Transpose.permute(x, shape: source, permutation: order, elementBytes: bytes, into: y)
            }
        }
        return y
    }
}

extension TransposeOperator: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        let order = try order(x)
        var content = ValueFacts.Content.unknown
        if case .uniform = x.content { content = x.content }
        return [try inputs.made(x.elementType, order.map { x.extents[$0] }, content)]
    }

    private func order(_ x: ValueFacts) throws(NoRule) -> [Int] {
        let order = permutation ?? Array((0..<x.rank).reversed())
        guard order.count == x.rank else { throw NoRule("the permutation has another rank") }
        return order
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let features = x.featureAxes
        // Where time stands is of no concern to rows.
        let moved = try order(x).compactMap { features.firstIndex(of: $0) }
        let rows = try packing.rows(0)
        if moved == Array(moved.indices) { return [rows] }
        return [packing.emit(TransposeOperator(permutation: [0] + moved.map { $0 + 1 }), [rows])]
    }
}
