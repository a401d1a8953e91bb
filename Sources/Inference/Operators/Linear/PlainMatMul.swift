import TensorCore

/// numpy's matrix product in any type that matrices are multiplied in; float32 has a faster way in ``MatMul``.
struct PlainMatMul: MatrixWork {
    let a: Tensor
    let b: Tensor
    let inputs: NodeInputs

    func run<T: MatrixElement>(_ type: T.Type) throws(OperatorError) -> Tensor {
        guard b.elementType == T.elementType else { throw .elementTypesDiffer(a.elementType, b.elementType) }
        guard a.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        guard b.shape.rank > 0 else { throw .unsupportedRank(0, input: 1) }
        let left = try a.shape.rank == 1 ? Shape.checked([1, a.count]) : a.shape
        let right = try b.shape.rank == 1 ? Shape.checked([b.count, 1]) : b.shape
        let (m, k, n) = (left[left.rank - 2], left[left.rank - 1], right[right.rank - 1])
        guard right[right.rank - 2] == k else {
            throw .shape(.dimensionMismatch(axis: right.rank - 2, expected: k, actual: right[right.rank - 2]))
        }
        let (aLead, bLead) = (leading(left), leading(right))
        let lead = try aLead.broadcasting(bLead)
        let whole = try Shape.checked(lead.dimensions + [m, n])
        var y = try inputs.makeTensor(T.elementType, whole)
        a.withPointer(to: T.self) { a in
            b.withPointer(to: T.self) { b in
                y.withMutablePointer(to: T.self) { y in
                    guard whole.elementCount > 0 else { return }
                    var position = 0
                    TypedMap.forEachPair(aLead, bLead, lead) { i, j in
                        T.multiply(
                            transposeA: false,
                            transposeB: false,
                            m: m,
                            n: n,
                            k: k,
                            alpha: 1,
                            a: a + i * m * k,
                            lda: k,
                            b: b + j * k * n,
                            ldb: n,
                            c: y + position * m * n,
                            ldc: n
                        )
                        position += 1
                    }
                }
            }
        }
        // A vector's axis of length 1 is none of the result's.
        var shape = lead.dimensions
        if a.shape.rank > 1 { shape.append(m) }
        if b.shape.rank > 1 { shape.append(n) }
        return try y.viewed(as: Shape.checked(shape))
    }

    private func leading(_ shape: Shape) -> Shape {
        shape.removing(axis: shape.rank - 1).removing(axis: shape.rank - 2)
    }
}
