import Kernels
import TensorCore

/// The operations of one step.
extension ScanRun {
    /// Adds the operations of a node; false if it has none for these shapes.
    mutating func add(_ index: Int) -> Bool {
        let node = schedule.graph.nodes[index]
        if node.computation is MultiplyAdd, node.outputs.count == 1, let output = node.outputs[0] {
            return addMultiplyAdd(index, output)
        }
        guard let a = place(of: node.inputs.first ?? nil) else { return false }
        if let split = node.computation as? Split { return addParts(split, node, a) }
        guard node.outputs.count == 1, let output = node.outputs[0] else { return false }
        switch node.computation {
        case is Identity:
            places[output] = a
            return true
        case let unary as Unary:
            guard let c = makeResult(output, a.dimensions, of: index) else { return false }
            program.apply(unary.function, a.operand, to: c)
            return true
        case let arithmetic as Arithmetic: return addBinary(arithmetic.operation, index, a, output)
        case let variadic as Variadic: return addBinary(variadic.operation, index, a, output)
        case let affine as ScaleShift:
            guard let scale = constant(affine.scale), let shift = constant(affine.shift),
                let dimensions = Self.broadcast(a.dimensions, scale.dimensions, shift.dimensions),
                dimensions == a.dimensions, let c = makeResult(output, dimensions, of: index)
            else { return false }
            program.affine(
                a.operand,
                scale: scale.broadcast(columns: a.columns),
                shift: shift.broadcast(columns: a.columns),
                to: c
            )
            return true
        case let product as MatMul:
            guard let prepared = product.prepared else { return false }
            return addProduct(prepared, alpha: 1, a, output)
        case let product as Gemm:
            guard let prepared = product.prepared, a.dimensions.count == 2 else { return false }
            return addProduct(prepared, alpha: product.alpha, a, output)
        case let concat as Concat: return addConcat(concat, node, output)
        default: return false
        }
    }

    private func constant(_ tensor: Tensor) -> ScanPlace? {
        place(tensor, dimensions: tensor.shape.dimensions, step: 0)
    }

    static func broadcast(_ shapes: [Int]...) -> [Int]? {
        var result = Shape()
        for dimensions in shapes {
            guard let shape = try? Shape(checking: dimensions), let next = try? result.broadcast(with: shape)
            else { return nil }
            result = next
        }
        return result.dimensions
    }

    private mutating func addBinary(
        _ operation: BinaryOperation,
        _ index: Int,
        _ a: ScanPlace,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        let node = schedule.graph.nodes[index]
        guard node.inputs.count == 2, let b = place(of: node.inputs[1]),
            let dimensions = Self.broadcast(a.dimensions, b.dimensions),
            let c = makeResult(output, dimensions, of: index)
        else { return false }
        program.apply(
            operation,
            a.broadcast(columns: c.columns),
            b.broadcast(columns: c.columns),
            to: c
        )
        return true
    }

    private mutating func addProduct(
        _ prepared: MatMul.Prepared,
        alpha: Float,
        _ a: ScanPlace,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        guard let last = a.dimensions.last, last == prepared.matrix.rows else { return false }
        if schedule.scaledProducts.contains(output) {
            products[output] = ScanProduct(prepared: prepared, alpha: alpha, a: a)
            return true
        }
        guard
            let c = makeResult(output, a.dimensions.dropLast() + [prepared.matrix.columns])
        else { return false }
        program.multiply(
            a.operand,
            prepared.matrix,
            alpha: alpha,
            // The schedule keeps the operator, and it its bias.
            bias: prepared.bias.map { $0.withPointer(to: Float.self) { $0 } },
            activation: prepared.activation,
            to: c
        )
        return true
    }

    /// Parts of the columns, as views; parts of another axis are left to the plain loop.
    private mutating func addParts(_ split: Split, _ node: PlanGraph.Node, _ a: ScanPlace) -> Bool {
        let rank = a.dimensions.count
        guard rank > 0, split.axis == rank - 1 || split.axis == -1 else { return false }
        var sizes = split.sizes
        if sizes == nil, node.inputs.count > 1, let id = node.inputs[1] {
            sizes = try? tensors[id]?.integers(input: 1)
            if sizes == nil { return false }
        }
        let parts = sizes ?? split.equalSizes(a.columns)
        guard parts.allSatisfy({ $0 > 0 }), parts.reduce(0, +) == a.columns, parts.count >= node.outputs.count
        else { return false }
        var start = a.start
        for (id, size) in zip(node.outputs, parts) {
            if let id {
                places[id] = ScanPlace(
                    dimensions: a.dimensions.dropLast() + [size],
                    start: start,
                    row: a.row,
                    step: a.step,
                    isPacked: a.isPacked,
                    index: a.index
                )
            }
            start += size
        }
        return true
    }

    private mutating func addConcat(
        _ concat: Concat,
        _ node: PlanGraph.Node,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        var parts: [ScanPlace] = []
        for id in node.inputs {
            guard let part = place(of: id) else { return false }
            parts.append(part)
        }
        let rank = parts[0].dimensions.count
        let lead = parts[0].dimensions.dropLast()
        guard rank > 0, concat.axis == rank - 1 || concat.axis == -1,
            parts.allSatisfy({ $0.dimensions.count == rank && $0.dimensions.dropLast() == lead }),
            let c = makeResult(output, lead + [parts.reduce(0) { $0 + $1.columns }])
        else { return false }
        var target = c
        for part in parts {
            target.columns = part.columns
            program.copy(part.operand, to: target)
            target.start += part.columns
        }
        return true
    }
}
