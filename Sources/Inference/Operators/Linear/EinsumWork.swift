import TensorCore

/// One evaluation of ``Einsum`` in one type.
struct EinsumWork: MatrixWork {
    typealias Label = Einsum.Label

    /// A dense tensor and the names of its axes, each once.
    private struct Term {
        let labels: [Label]
        let tensor: Tensor
    }

    let axes: EinsumAxes
    let inputs: NodeInputs

    func run<T: MatrixElement>(_ type: T.Type) throws(OperatorError) -> Tensor {
        var left: Term?
        for index in axes.terms.indices {
            let later = Set(axes.terms[(index + 1)...].joined()).union(axes.result)
            let others = later.union(left?.labels ?? [])
            let right = try summed(of: T.self, operand(index), keeping: others)
            guard let before = left else {
                left = right
                continue
            }
            left = try product(of: T.self, before, right, keeping: later)
        }
        guard let term = left else { throw .missingInput(0) }
        return try arranged(summed(of: T.self, term, keeping: Set(axes.result)), as: axes.result).tensor
    }

    /// An operand with its diagonals taken and its axes of length 1 repeated where others are longer.
    private func operand(_ index: Int) throws(OperatorError) -> Term {
        let tensor = try inputs[index]
        let dense = StridedView(tensor.shape)
        var labels: [Label] = []
        var strides: [Int] = []
        for (axis, label) in axes.terms[index].enumerated() {
            let stride = tensor.shape[axis] == 1 ? 0 : dense.strides[axis]
            if let place = labels.firstIndex(of: label) {
                strides[place] += stride
            } else {
                labels.append(label)
                strides.append(stride)
            }
        }
        return try copied(tensor, labels, strides)
    }

    /// The same elements with the axes in another order.
    private func arranged(_ term: Term, as labels: [Label]) throws(OperatorError) -> Term {
        guard term.labels != labels else { return term }
        let dense = StridedView(term.tensor.shape)
        var strides: [Int] = []
        for label in labels {
            guard let axis = term.labels.firstIndex(of: label) else {
                throw .attributeValue("equation")
            }
            strides.append(dense.strides[axis])
        }
        return try copied(term.tensor, labels, strides)
    }

    private func copied(_ tensor: Tensor, _ labels: [Label], _ strides: [Int]) throws(OperatorError) -> Term {
        let shape = try Shape.checked(axes.dimensions(labels))
        let view = StridedView(dimensions: shape, strides: strides)
        var result = try inputs.makeTensor(tensor.elementType, shape)
        tensor.withRawPointer { source in
            result.withMutableRawPointer {
                view.copy(source, to: $0, elementBytes: tensor.elementType.byteCount)
            }
        }
        return Term(labels: labels, tensor: result)
    }

    /// The term summed over the axes that nothing else names.
    private func summed<T: MatrixElement>(
        of type: T.Type,
        _ term: Term,
        keeping labels: Set<Label>
    ) throws(OperatorError) -> Term {
        let kept = term.labels.filter { labels.contains($0) }
        guard kept.count < term.labels.count else { return term }
        let dropped = term.labels.filter { !labels.contains($0) }
        let source = try arranged(term, as: kept + dropped)
        let (rows, count) = (try axes.count(kept), try axes.count(dropped))
        let sums = try inputs.makeTensor(of: T.self, Shape.checked(axes.dimensions(kept))) { sums in
            source.tensor.withPointer(to: T.self) { values in
                for row in 0..<rows {
                    var sum: T = 0
                    for index in 0..<count { sum = T.sum(sum, values[row * count + index]) }
                    sums[row] = sum
                }
            }
        }
        return Term(labels: kept, tensor: sums)
    }

    /// The product of two terms, summed over the axes that both name and nothing behind them does.
    private func product<T: MatrixElement>(
        of type: T.Type,
        _ left: Term,
        _ right: Term,
        keeping later: Set<Label>
    ) throws(OperatorError) -> Term {
        let common = left.labels.filter { right.labels.contains($0) }
        let shared = common.filter { later.contains($0) }
        let contracted = common.filter { !later.contains($0) }
        let rows = left.labels.filter { !common.contains($0) }
        let columns = right.labels.filter { !common.contains($0) }
        let a = try arranged(left, as: shared + rows + contracted).tensor
        let b = try arranged(right, as: shared + contracted + columns).tensor
        let (m, k, n) = (try axes.count(rows), try axes.count(contracted), try axes.count(columns))
        let count = try axes.count(shared)
        let labels = shared + rows + columns
        let shape = try Shape.checked(axes.dimensions(labels))
        let result = try inputs.makeTensor(of: T.self, shape) { c in
            guard shape.elementCount > 0 else { return }
            a.withPointer(to: T.self) { a in
                b.withPointer(to: T.self) { b in
                    guard k != 1 else { return outer(a, b, into: c, count: count, m: m, n: n) }
                    for index in 0..<count {
                        T.multiply(
                            transposeA: false,
                            transposeB: false,
                            m: m,
                            n: n,
                            k: k,
                            alpha: 1,
                            a: a + index * m * k,
                            lda: k,
                            b: b + index * k * n,
                            ldb: n,
                            c: c + index * m * n,
                            ldc: n
                        )
                    }
                }
            }
        }
        return Term(labels: labels, tensor: result)
    }

    /// Products of all pairs, with nothing to sum: of single elements there are too many for a matrix product each.
    private func outer<T: MatrixElement>(
        _ a: UnsafePointer<T>,
        _ b: UnsafePointer<T>,
        into c: UnsafeMutablePointer<T>,
        count: Int,
        m: Int,
        n: Int
    ) {
        for index in 0..<count {
            for row in 0..<m {
                let factor = a[index * m + row]
                let target = c + (index * m + row) * n
                for column in 0..<n { target[column] = T.product(factor, b[index * n + column]) }
            }
        }
    }
}
