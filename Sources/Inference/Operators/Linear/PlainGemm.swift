import TensorCore

/// ``Gemm`` in any type that matrices are multiplied in; float32 has a faster way.
struct PlainGemm: MatrixWork {
    let gemm: Gemm
    let inputs: NodeInputs

    func run<T: MatrixElement>(_ type: T.Type) throws(OperatorError) -> Tensor {
        let a = try inputs[0]
        let b = try inputs.tensor(1, of: T.elementType)
        for (index, tensor) in [(0, a), (1, b)] where tensor.shape.rank != 2 {
            throw .unsupportedRank(tensor.shape.rank, input: index)
        }
        let (m, k) = gemm.transposesA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
        let (n, inner) = gemm.transposesB ? (b.shape[0], b.shape[1]) : (b.shape[1], b.shape[0])
        guard inner == k else {
            throw .shape(.dimensionMismatch(axis: gemm.transposesB ? 1 : 0, expected: k, actual: inner))
        }
        let alpha = try factor(of: T.self, gemm.alpha, "alpha")
        let product = try inputs.makeTensor(of: T.self, Shape.checked([m, n])) { c in
            a.withPointer(to: T.self) { left in
                b.withPointer(to: T.self) { right in
                    T.multiply(
                        transposeA: gemm.transposesA,
                        transposeB: gemm.transposesB,
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
        guard inputs.optional(2) != nil, gemm.beta != 0 else { return product }
        let c = try inputs.tensor(2, of: T.elementType)
        guard try c.shape.broadcasting(product.shape) == product.shape else {
            throw .shape(.notBroadcastable(c.shape.dimensions, product.shape.dimensions))
        }
        let beta = try factor(of: T.self, gemm.beta, "beta")
        return try TypedMap.binary(product, c, inputs) { (a: T, b: T) in T.sum(a, T.product(beta, b)) }
    }

    /// A factor in the type of the matrices.
    private func factor<T: MatrixElement>(
        of type: T.Type,
        _ value: Float,
        _ name: String
    ) throws(OperatorError) -> T {
        guard let factor = T(exactFactor: value) else { throw .attributeValue(name) }
        return factor
    }
}
