extension Graph {
    /// The names of all values of the graph and of its subgraphs at every depth.
    public var allValueNames: Set<String> {
        var names: Set<String> = []
        Self.collect(proto, into: &names)
        return names
    }

    private static func collect(_ graph: ProtoGraph, into names: inout Set<String>) {
        names.formUnion(graph.input.lazy.map(\.name))
        names.formUnion(graph.initializer.lazy.map(\.name))
        for node in graph.node {
            names.formUnion(node.output)
            for attribute in node.attribute {
                if attribute.hasG { collect(attribute.g, into: &names) }
                for subgraph in attribute.graphs { collect(subgraph, into: &names) }
            }
        }
    }

    /// A name that no value has: the proposal itself, or the proposal with a number.
    ///
    /// - Parameters:
    ///   - proposal: The name wanted.
    ///   - names: The names taken; the new one is added.
    /// - Returns: The new name.
    static func freshName(_ proposal: String, taken names: inout Set<String>) -> String {
        var name = proposal
        var number = 1
        while !names.insert(name).inserted {
            number += 1
            name = "\(proposal).\(number)"
        }
        return name
    }
}
