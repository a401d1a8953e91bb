import ONNXGraph

/// What is left of the limits of one plan; shared by the scopes of its subgraphs.
final class PlanAllowance {
    let limits: ModelLimits
    private var nodesLeft: Int

    init(_ limits: ModelLimits) {
        self.limits = limits
        nodesLeft = limits.nodes
    }

    /// Counts one node, written in the file or put in a call's place.
    func takeNode(at path: NodePath) throws(PlanError) {
        guard nodesLeft > 0 else { throw .tooManyNodes(path: path, limit: limits.nodes) }
        nodesLeft -= 1
    }
}
