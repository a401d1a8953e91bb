import Kernels
import TensorCore

/// Gemm: `alpha * A' * B' + beta * C`, with A and B transposed on demand and C broadcast.
///
/// In all types of numbers; of integers the factors must be whole.
struct Gemm: Operator {
    let alpha: Float
    let beta: Float
    let transposesA: Bool
    let transposesB: Bool
    /// A constant B, packed, and a constant C as `[N]`, already multiplied by beta.
    let prepared: MatMul.Prepared?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(reader.opset < 11 ? 3...3 : 2...3)
        alpha = try reader.float("alpha", default: 1)
        beta = try reader.float("beta", default: 1)
        if reader.opset < 7 { _ = try reader.flag("broadcast", default: false) }
        transposesA = try reader.flag("transA", default: false)
        transposesB = try reader.flag("transB", default: false)
        prepared = nil
    }

    /// The same product, with an addend that is taken as it is.
    init(addingTo gemm: Gemm) {
        alpha = gemm.alpha
        beta = 1
        transposesA = gemm.transposesA
        transposesB = gemm.transposesB
        prepared = nil
    }

    private init(_ gemm: Gemm, prepared: MatMul.Prepared) {
        alpha = gemm.alpha
        beta = gemm.beta
        transposesA = gemm.transposesA
        transposesB = gemm.transposesB
        self.prepared = prepared
    }

    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        guard prepared == nil, !transposesA, constants.count >= 2, let b = constants[1],
            b.elementType == .float32, b.shape.rank == 2, b.count > 0
        else { return nil }
        let (n, k) = transposesB ? (b.shape[0], b.shape[1]) : (b.shape[1], b.shape[0])
        var bias = [Float](repeating: 0, count: n)
        if constants.count > 2 {
            guard let c = constants[2], c.elementType == .float32, c.count == n || c.count == 1,
                c.count == 1 || c.shape[c.shape.rank - 1] == n
            else { return nil }
            let values = c.array(of: Float.self)
            for index in 0..<n { bias[index] = beta * values[values.count == 1 ? 0 : index] }
        }
        let packed = b.withPointer(to: Float.self) {
            try? PackedMatrix(
                rows: k,
                columns: n,
                from: $0,
                leadingDimension: b.shape[1],
                transposed: transposesB
            )
        }
        guard let packed, let addend = try? Tensor(bias, shape: Shape(checking: [n])) else { return nil }
        return Gemm(self, prepared: MatMul.Prepared(matrix: packed, bias: addend, activation: .identity))
    }

    func narrowed() -> (any Operator)? { prepared?.narrowed().map { Gemm(self, prepared: $0) } }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs[0]
        guard a.elementType == .float32 else {
            if prepared != nil { throw .unsupportedElementType(a.elementType, input: 0) }
            return .one(try PlainGemm(gemm: self, inputs: inputs).run(for: a.elementType, input: 0))
        }
        guard a.shape.rank == 2 else { throw .unsupportedRank(a.shape.rank, input: 0) }
        let (m, k) = transposesA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
        if let prepared { return .one(try product(a, m, k, prepared, inputs)) }
        let b = try inputs.float32(1)
        guard b.shape.rank == 2 else { throw .unsupportedRank(b.shape.rank, input: 1) }
        let (n, inner) = transposesB ? (b.shape[0], b.shape[1]) : (b.shape[1], b.shape[0])
        guard inner == k else {
            throw .shape(.dimensionMismatch(axis: transposesB ? 1 : 0, expected: k, actual: inner))
        }
        let shape = try Shape.checked([m, n])
        let product = try inputs.makeTensor(of: Float.self, shape) { c in
            a.withPointer(to: Float.self) { left in
                b.withPointer(to: Float.self) { right in
                    GEMM.multiply(
                        transposeA: transposesA,
                        transposeB: transposesB,
                        m: m,
                        n: n,
                        k: k,
                        alpha: alpha,
                        a: left,
                        lda: a.shape[1],
                        b: right,
                        ldb: b.shape[1],
                        c: c,
                        ldc: n
                    )
                }
            }
        }
        guard inputs.optional(2) != nil, beta != 0 else { return .one(product) }
        let c = try inputs.float32(2)
        guard try c.shape.broadcasting(shape) == shape else {
            throw .shape(.notBroadcastable(c.shape.dimensions, shape.dimensions))
        }
        let addend =
            try beta == 1
            ? c
            : Arithmetic.combine(.multiply, c, Tensor(scalar: beta), inputs, mayWrite: (false, false))
        return .one(try Arithmetic.combine(.add, product, addend, inputs, mayWrite: (true, false)))
    }

    private func product(
        _ a: Tensor,
        _ m: Int,
        _ k: Int,
        _ prepared: MatMul.Prepared,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let n = prepared.matrix.columns
        guard prepared.matrix.rows == k else {
            throw .shape(.dimensionMismatch(axis: 1, expected: prepared.matrix.rows, actual: k))
        }
        return try inputs.makeTensor(of: Float.self, Shape.checked([m, n])) { c in
            a.withPointer(to: Float.self) { a in
                guard let bias = prepared.bias else { return }
                bias.withPointer(to: Float.self) { bias in
                    GEMM.multiply(
                        m: m,
                        alpha: alpha,
                        a: a,
                        lda: k,
                        prepared.matrix,
                        c: c,
                        ldc: n,
                        epilogue: Epilogue(bias: bias)
                    )
                }
            }
        }
    }
}

extension Gemm: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let a = try inputs[0]
        guard a.rank == 2, a.elementType == .float32, !transposesA else {
            throw NoRule("the left side is transposed")
        }
        let columns: Int
        if let prepared {
            columns = prepared.matrix.columns
        } else if let b = inputs.constant(1), b.shape.rank == 2 {
            columns = b.shape[transposesB ? 0 : 1]
        } else {
            throw NoRule("the right side is not a constant matrix")
        }
        return [try inputs.made(.float32, [a.extents[0], .integer(columns)])]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let a = try packing.input(0)
        guard let prepared, a.extents[0] == .integer(1) || a.timeAxis == 0 else {
            throw NoRule("the right side or the addend is not constant")
        }
        var rows = try packing.rows(0)
        if prepared.matrix.rows == 1 { rows = try packing.view(rows, as: [1]) }
        return try packing.finished(packing.emit(self, [rows]), features: [prepared.matrix.columns])
    }
}
