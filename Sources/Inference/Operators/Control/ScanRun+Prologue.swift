import TensorCore

/// What needs no state is computed for all steps at once.
extension ScanRun {
    /// Evaluates a node of the prologue on whole tensors.
    mutating func compute(_ index: Int) -> Bool {
        let node = schedule.graph.nodes[index]
        var arguments = node.inputs.map { id in id.flatMap { tensors[$0] } }
        let isStepped = node.inputs.contains { $0.map { schedule.roles[$0] == .stepped } ?? false }
        if let packing, node.inputs.contains(where: { $0.map { hasRows[$0] } ?? false }) {
            return compute(node, arguments, rowsOf: packing)
        }
        if isStepped, node.computation is Gemm { return computeJoined(node, arguments) }
        // Element by element with broadcasting, the steps must stand before the longest of the other shapes.
        if isStepped, !(node.computation is MatMul), !(node.computation is GatherOperator) {
            var rank = 0
            for (id, argument) in zip(node.inputs, arguments) {
                guard let id, let argument else { continue }
                rank = max(rank, argument.shape.rank - (schedule.roles[id] == .stepped ? 1 : 0))
            }
            for (position, id) in node.inputs.enumerated() {
                guard let id, schedule.roles[id] == .stepped, let argument = arguments[position],
                    argument.shape.rank <= rank
                else { continue }
                let missing = [Int](repeating: 1, count: rank + 1 - argument.shape.rank)
                let dimensions = [steps] + missing + argument.shape.dimensions.dropFirst()
                guard let shape = try? Shape(checking: dimensions),
                    let view = try? argument.reshaped(to: shape)
                else { return false }
                arguments[position] = view
            }
        }
        guard let outputs = evaluate(node, arguments) else { return false }
        let results: [Tensor] =
            switch outputs {
            case .one(let tensor): [tensor]
            case .many(let tensors): tensors
            case .values: []
            }
        guard results.count >= node.outputs.count else { return false }
        for (id, result) in zip(node.outputs, results) {
            guard let id else { continue }
            if isStepped, result.shape.rank < 1 || result.shape[0] != steps { return false }
            tensors[id] = result
        }
        return true
    }

    /// Evaluates a Gemm, which takes matrices alone, on the rows of all steps.
    private mutating func computeJoined(_ node: PlanGraph.Node, _ arguments: [Tensor?]) -> Bool {
        guard let x = arguments.first ?? nil, x.shape.rank == 3, let output = node.outputs.first ?? nil,
            let rows = try? Shape(checking: [x.shape[0] * x.shape[1], x.shape[2]]),
            let joined = try? x.reshaped(to: rows),
            case .one(let result)? = evaluate(node, [joined] + arguments.dropFirst()), result.shape.rank == 2,
            let shape = try? Shape(checking: [x.shape[0], x.shape[1], result.shape[1]]),
            let parted = try? result.reshaped(to: shape)
        else { return false }
        tensors[output] = parted
        return true
    }

    /// Evaluates a node of the prologue for which each sequence has rows of its own.
    private mutating func compute(
        _ node: PlanGraph.Node,
        _ arguments: [Tensor?],
        rowsOf packing: ScanRows
    ) -> Bool {
        guard !(node.computation is GatherOperator) else { return false }
        var arguments = arguments
        for (position, id) in node.inputs.enumerated() {
            guard let id, let argument = arguments[position] else { continue }
            if hasRows[id] {
                guard argument.shape.rank == 2 else { return false }
            } else if schedule.roles[id] == .stepped {
                guard let rows = packing.repeating(argument) else { return false }
                arguments[position] = rows
            } else if !ScanSchedule.isProduct(node), argument.shape.rank > 1,
                argument.shape[0] != 1 || argument.shape.rank > 2
            {
                return false
            }
        }
        guard case .one(let result)? = evaluate(node, arguments), let output = node.outputs.first ?? nil,
            result.shape.rank == 2, result.shape[0] == packing.rowCount
        else { return false }
        tensors[output] = result
        hasRows[output] = true
        return true
    }

    /// What a node gives on whole tensors; nil if it cannot be evaluated.
    private func evaluate(_ node: PlanGraph.Node, _ arguments: [Tensor?]) -> NodeOutputs? {
        try? NodeInputs.evaluate(
            node.computation,
            arguments,
            outputCount: node.outputs.count,
            budget: inputs.budget
        )
    }
}
