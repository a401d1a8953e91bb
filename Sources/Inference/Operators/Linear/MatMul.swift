import Kernels
import TensorCore

/// MatMul: numpy's matrix product; leading axes are broadcast, a vector is a row (left) or a column (right).
///
/// In all types of numbers; integers wrap around.
///
/// With a constant right side of rank 2, whose packed form is made once; it may then have a bias and an activation
/// folded in by the planner, and add its last input.
struct MatMul: Operator {
    /// What the planner knows of a constant right side.
    struct Prepared: Sendable {
        let matrix: PackedMatrix
        /// One addend a column, `[columns]`.
        let bias: Tensor?
        let activation: UnaryOperation

        /// The same with the matrix rounded to bfloat16; nil if that is too large.
        func narrowed() -> Prepared? {
            guard let narrow = try? matrix.narrowed() else { return nil }
            return Prepared(matrix: narrow, bias: bias, activation: activation)
        }
    }

    let prepared: Prepared?
    private let addsResidual: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        prepared = nil
        addsResidual = false
    }

    init(prepared: Prepared, addsResidual: Bool = false) {
        self.prepared = prepared
        self.addsResidual = addsResidual
    }

    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        guard prepared == nil, constants.count == 2, let weights = constants[1] else { return nil }
        return Self.prepared(weights, bias: nil).map { MatMul(prepared: $0) }
    }

    static func prepared(_ weights: Tensor, bias: Tensor?, activation: UnaryOperation = .identity)
        -> Prepared?
    {
        guard weights.elementType == .float32, weights.shape.rank == 2, weights.count > 0 else { return nil }
        let (rows, columns) = (weights.shape[0], weights.shape[1])
        let packed = weights.withPointer(to: Float.self) {
            try? PackedMatrix(rows: rows, columns: columns, from: $0, leadingDimension: columns)
        }
        return packed.map { Prepared(matrix: $0, bias: bias, activation: activation) }
    }

    func narrowed() -> (any Operator)? {
        prepared?.narrowed().map { MatMul(prepared: $0, addsResidual: addsResidual) }
    }

    func addingResidual() -> (any Operator)? {
        addsResidual ? nil : prepared.map { MatMul(prepared: $0, addsResidual: true) }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        if let prepared { return .one(try product(inputs.float32(0), prepared, inputs)) }
        guard a.elementType == .float32 else {
            let work = try PlainMatMul(a: a, b: inputs[1], inputs: inputs)
            return .one(try work.run(for: a.elementType, input: 0))
        }
        let b = try inputs.float32(1)
        guard a.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        guard b.shape.rank > 0 else { throw .unsupportedRank(0, input: 1) }
        let left = try a.shape.rank == 1 ? a.viewed(as: Shape.checked([1, a.count])) : a
        let right = try b.shape.rank == 1 ? b.viewed(as: Shape.checked([b.count, 1])) : b
        var result = try product(left, right, inputs)
        if b.shape.rank == 1 {
            result = try result.viewed(as: result.shape.removing(axis: result.shape.rank - 1))
        }
        if a.shape.rank == 1 {
            let axis = b.shape.rank == 1 ? result.shape.rank - 1 : result.shape.rank - 2
            result = try result.viewed(as: result.shape.removing(axis: axis))
        }
        return .one(result)
    }

    private func product(
        _ a: Tensor,
        _ prepared: Prepared,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let rank = a.shape.rank
        guard rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let k = prepared.matrix.rows
        let n = prepared.matrix.columns
        guard a.shape[rank - 1] == k else {
            throw .shape(.dimensionMismatch(axis: rank - 1, expected: k, actual: a.shape[rank - 1]))
        }
        let shape = try shaped { () throws(ShapeError) in try a.shape.replacing(axis: rank - 1, by: n) }
        let m = a.shape.elementCount(of: 0..<(rank - 1))
        return try inputs.sum(with: addsResidual ? inputs.count - 1 : nil, shape) { c, residual in
            a.withPointer(to: Float.self) { a in
                func multiply(_ bias: UnsafePointer<Float>?) {
                    let isPlain = bias == nil && prepared.activation == .identity && residual == nil
                    let epilogue = Epilogue(bias: bias, activation: prepared.activation, residual: residual)
                    GEMM.multiply(
                        m: m,
                        a: a,
                        lda: k,
                        prepared.matrix,
                        c: c,
                        ldc: n,
                        epilogue: isPlain ? nil : epilogue
                    )
                }
                guard let bias = prepared.bias else { return multiply(nil) }
                bias.withPointer(to: Float.self) { multiply($0) }
            }
        }
    }

    private func product(_ a: Tensor, _ b: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        let (aRank, bRank) = (a.shape.rank, b.shape.rank)
        let (m, k, n) = (a.shape[aRank - 2], a.shape[aRank - 1], b.shape[bRank - 1])
        guard b.shape[bRank - 2] == k else {
            throw .shape(.dimensionMismatch(axis: bRank - 2, expected: k, actual: b.shape[bRank - 2]))
        }
        let aLead = Self.leading(a.shape)
        let bLead = Self.leading(b.shape)
        let lead = try aLead.broadcasting(bLead)
        let shape = try shaped { () throws(ShapeError) in
            try lead.inserting(m, at: lead.rank).inserting(n, at: lead.rank + 1)
        }
        return try inputs.makeTensor(of: Float.self, shape) { c in
            a.withPointer(to: Float.self) { a in
                b.withPointer(to: Float.self) { b in
                    guard shape.elementCount > 0 else { return }
                    if aLead == lead && (bLead == lead || bLead.elementCount == 1) {
                        GEMM.multiplyBatch(
                            count: lead.elementCount,
                            m: m,
                            n: n,
                            k: k,
                            a: a,
                            aDistance: m * k,
                            b: b,
                            bDistance: bLead.elementCount == 1 ? 0 : k * n,
                            c: c
                        )
                        return
                    }
                    var position = 0
                    TypedMap.forEachPair(aLead, bLead, lead) { i, j in
                        GEMM.multiply(
                            m: m,
                            n: n,
                            k: k,
                            a: a + i * m * k,
                            lda: k,
                            b: b + j * k * n,
                            ldb: n,
                            c: c + position * m * n,
                            ldc: n
                        )
                        position += 1
                    }
                }
            }
        }
    }

    private static func leading(_ shape: Shape) -> Shape {
        shape.removing(axis: shape.rank - 1).removing(axis: shape.rank - 2)
    }
}

extension MatMul: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let a = try inputs[0]
        guard a.rank >= 1, a.elementType == .float32 else { throw NoRule("not float32") }
        if let prepared {
            guard a.extents[a.rank - 1] == .integer(prepared.matrix.rows) else {
                throw NoRule("inner lengths differ")
            }
            return [try inputs.made(.float32, a.extents.dropLast() + [.integer(prepared.matrix.columns)])]
        }
        let b = try inputs[1]
        guard a.rank >= 2, b.rank >= 2, a.extents[a.rank - 1] == b.extents[b.rank - 2] else {
            throw NoRule("inner lengths differ")
        }
        let lead = try ValueFacts.broadcast(Array(a.extents.dropLast(2)), Array(b.extents.dropLast(2)))
        return [try inputs.made(a.elementType, lead + [a.extents[a.rank - 2], b.extents[b.rank - 1]])]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        guard let prepared else { throw NoRule("the right side is not a constant matrix") }
        let a = try packing.input(0)
        var rows = try packing.rows(0)
        let (k, n) = (prepared.matrix.rows, prepared.matrix.columns)
        if k == 1 { rows = try packing.view(rows, as: a.features + [1]) }
        let lead = k == 1 ? a.features : Array(a.features.dropLast())
        return try packing.finished(packing.emit(self, [rows]), features: lead + [n])
    }
}
