import ONNXGraph

/// Finds the nodes of a normalization that is written as Sub, Div, Mul and Add.
enum SiteChain {
    /// The longest chain that is looked at.
    private static let longest = 5

    /// From the last node back to the Sub that takes the mean away.
    ///
    /// - Parameters:
    ///   - last: The index of the last node.
    ///   - nodes: The nodes of the graph.
    /// - Returns: The indices; only the last if there is no Sub before it.
    static func nodes(endingAt last: Int, in nodes: [Node]) -> [Int] {
        var producers: [String: Int] = [:]
        for (index, node) in nodes.prefix(last + 1).enumerated() {
            for name in node.outputs where !name.isEmpty { producers[name] = index }
        }
        var chain = [last]
        while let index = chain.last, nodes[index].operatorType != "Sub", chain.count < longest {
            let before = nodes[index].inputs.lazy.compactMap { producers[$0] }
                .filter { ["Sub", "Div", "Mul", "Add"].contains(nodes[$0].operatorType) && $0 < index }
            guard let next = before.first else { break }
            chain.append(next)
        }
        return chain.last.map { nodes[$0].operatorType } == "Sub" ? chain : [last]
    }
}
