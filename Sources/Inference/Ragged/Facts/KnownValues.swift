import TensorCore

/// Takes out of a graph what is known before it runs: shape arithmetic, masks, and operations that change nothing.
///
/// It changes no bit of any output, and is as good for sequences run one by one as for packed ones.
enum KnownValues {
    /// Folds until nothing is left to fold.
    ///
    /// - Parameters:
    ///   - graph: The graph to rewrite.
    ///   - inputs: The facts of its inputs, by value.
    static func fold(_ graph: inout PlanGraph, inputs: [PlanGraph.ValueID: ValueFacts]) {
        let analysis = LengthAnalysis(graph, inputs: inputs)
        // What each value has been found to be; readers stand behind the nodes that give their values.
        var found = Array(graph.values.indices)
        for index in graph.nodes.indices {
            graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.map { found[$0] } }
            let node = graph.nodes[index]
            guard let computation = node.computation as? any MeasuredOperator,
                let output = node.outputs.first ?? nil, let known = analysis.facts[output]
            else { continue }
            if let input = computation.equalInput(analysis.known(node, in: graph)),
                let source = node.inputs[input], analysis.facts[source]?.extents == known.extents
            {
                found[output] = source
            } else if let constant = constant(known) {
                graph.setConstant(constant, of: output, givenBy: index)
            }
        }
        graph.outputs = graph.outputs.map { found[$0] }
        graph.removeDeadNodes()
    }

    /// The value itself, if it is the same for every sequence.
    private static func constant(_ facts: ValueFacts) -> Tensor? {
        let lengths = facts.extents.indices.compactMap { facts.constant($0) }
        guard lengths.count == facts.rank, let shape = try? Shape(checking: lengths),
            shape.elementCount <= ConstantFolding.maximumGrownCount
        else { return nil }
        switch facts.content {
        case .unknown, .positions: return nil
        case .numbers:
            guard let integers = facts.integers, integers.count == shape.elementCount else { return nil }
            let parts = integers.compactMap { Tensor.scalar($0, facts.elementType) }
            guard parts.count == integers.count else { return nil }
            return try? Tensor.joining(parts, facts.elementType).reshaped(to: shape)
        case .uniform(let scalar):
            return scalar.filling(shape)
        }
    }
}

extension Tensor {
    /// Scalars of one type as a tensor of rank 1.
    static func joining(_ scalars: [Tensor], _ elementType: ElementType) throws(ShapeError) -> Tensor {
        var result = Tensor(uninitialized: elementType, shape: try Shape(checking: [scalars.count]))
        let size = elementType.byteCount
        result.withMutableRawPointer { target in
            for (index, scalar) in scalars.enumerated() where scalar.elementType == elementType {
                scalar.withRawPointer { (target + index * size).copyMemory(from: $0, byteCount: size) }
            }
        }
        return result
    }
}
