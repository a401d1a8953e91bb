import ONNXGraph

/// Finds the mask of the positions that run in a graph, from the mask that the model takes.
struct MaskTrace {
    /// The model's input that takes the mask; nil if it has none.
    let input: String?
    /// The value that holds the mask in the model's own graph, float32 `[B, 1, L]`.
    let root: String

    /// The mask for the nodes of a graph.
    ///
    /// In the model's own graph and in branches of If there it is the whole mask; in the body of a loop the part that the
    /// loop hands to its step, as a scan input or picked by Gather.
    ///
    /// - Parameters:
    ///   - scope: The graph.
    ///   - index: The node that needs the mask; what is made after it cannot be used.
    /// - Returns: The name of a value; nil if a loop hands on no mask.
    func mask(in scope: ValueScope, before index: Int) -> String? {
        guard let level = scope.current else { return nil }
        guard level.path.depth > 0 else { return root }
        for (position, node) in level.nodes.enumerated() where position < index {
            if node.operatorType == "Gather", let source = node.inputs.first, isMask(source, in: scope) {
                return node.outputs.first
            }
        }
        if level.owner?.operatorType == "If" {
            let last = level.path.steps.last?.index ?? 0
            return mask(in: scope.outer, before: last)
        }
        guard let owner = level.owner, owner.operatorType == "Scan" else { return nil }
        let states = owner.inputs.count - owner.scanInputCount
        return level.inputs.dropFirst(states).first { isMask($0, in: scope) }
    }

    /// Whether a value is the model's mask, a part of it, or the mask in another shape or type.
    func isMask(_ value: String, in scope: ValueScope) -> Bool {
        guard let input else { return false }
        var name = value
        var current = scope
        let longestWay = 32
        for _ in 0..<longestWay {
            guard let home = current.home(of: name), let level = home.current else { return false }
            current = home
            if let index = level.makers[name] {
                let node = level.nodes[index]
                let isPart = ["Cast", "Transpose", "Gather", "Slice"].contains(node.operatorType)
                guard node.keepsElements || isPart, let first = node.inputs.first else { return false }
                name = first
            } else if let position = level.inputs.firstIndex(of: name) {
                guard let owner = level.owner else { return name == input }
                guard owner.operatorType == "Scan", owner.inputs.indices.contains(position),
                    position >= owner.inputs.count - owner.scanInputCount
                else { return false }
                name = owner.inputs[position]
                current = home.outer
            } else {
                return false
            }
        }
        return false
    }
}
