import ONNXGraph

extension Model {
    /// The model in ONNX's own operators: functions inlined, fused operators taken apart.
    ///
    /// - Throws: ``PlanError/model(_:)``, or ``PlanError/invalidNode(path:operatorType:reason:)`` for a fused node.
    func expanded() throws(PlanError) -> Model {
        var model = self
        do throws(ModelError) { model = try inliningFunctions() } catch { throw .model(error) }
        guard model.graph.hasFusedNodes(depth: 0) else { return model }
        var names = FusedNames(taken: model.graph.allValueNames)
        model.graph = try model.graph.expanded(at: .root, &names)
        return model
    }
}

extension Graph {
    /// Whether any node, at any depth, is a fused operator.
    fileprivate func hasFusedNodes(depth: Int) -> Bool {
        guard depth <= ModelLimits.deepestNesting else { return false }
        return nodes.contains { node in
            FusedOperators.expansion(domain: node.domain, name: node.operatorType) != nil
                || node.subgraphs.contains { $0.graph.hasFusedNodes(depth: depth + 1) }
        }
    }

    fileprivate func expanded(at path: NodePath, _ names: inout FusedNames) throws(PlanError) -> Graph {
        guard path.depth <= ModelLimits.deepestNesting else {
            throw .nestedTooDeep(path: path, limit: ModelLimits.deepestNesting)
        }
        var result: [Node] = []
        for (index, node) in nodes.enumerated() {
            let place = path.appending(node, at: index)
            guard let expand = FusedOperators.expansion(domain: node.domain, name: node.operatorType) else {
                result.append(try node.expandingSubgraphs(at: place, &names))
                continue
            }
            var fused = FusedNode(node, label: place.steps.last?.label ?? "", names: names)
            do throws(OperatorError) {
                try expand(&fused)
                let (nodes, used) = try fused.finished()
                result += nodes
                names = used
            } catch {
                throw .invalidNode(path: place, operatorType: node.operatorType, reason: error)
            }
        }
        var graph = self
        graph.nodes = result
        return graph
    }
}

extension Node {
    fileprivate func expandingSubgraphs(
        at path: NodePath,
        _ names: inout FusedNames
    ) throws(PlanError) -> Node {
        var attributes = attributes
        var isChanged = false
        for index in attributes.indices {
            guard case .graph(let graph) = attributes[index].value, graph.hasFusedNodes(depth: path.depth)
            else {
                continue
            }
            attributes[index].value = .graph(
                try graph.expanded(at: path.entering(attributes[index].name), &names)
            )
            isChanged = true
        }
        guard isChanged else { return self }
        var node = self
        node.attributes = attributes
        return node
    }
}
