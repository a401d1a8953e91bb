/// The change that a pass makes at a node.
enum NodeRewrite {
    /// A node computes its outputs in another way, from other values.
    case node(Int, computation: any Operator, inputs: [PlanGraph.ValueID?])
    /// A value is always another.
    case value(PlanGraph.ValueID, equals: PlanGraph.ValueID)
    /// Several changes, one after the other.
    indirect case all([NodeRewrite])
}

/// Who makes and who reads each value, kept in step with the changes of a pass.
///
/// Nodes keep their places: one that nobody needs any longer is marked, and has no inputs. A change costs the work of the
/// nodes it touches, not that of the graph.
struct GraphFacts {
    private(set) var useCounts: [Int]
    private(set) var producers: [Int?]
    /// For each node, whether no output needs it any longer.
    private(set) var isDead: [Bool]
    /// For each value, the nodes that read it, among them some that have ceased to.
    private var readers: [[Int]]

    init(_ graph: PlanGraph) {
        useCounts = graph.useCounts()
        producers = graph.producers()
        isDead = [Bool](repeating: false, count: graph.nodes.count)
        readers = [[Int]](repeating: [], count: graph.values.count)
        for (index, node) in graph.nodes.enumerated() {
            for case .some(let id) in node.inputs { readers[id].append(index) }
        }
    }

    /// Makes a change in the graph, and in what is known of it.
    mutating func apply(_ rewrite: NodeRewrite, to graph: inout PlanGraph) {
        let added = graph.values.count - useCounts.count
        useCounts += [Int](repeating: 0, count: added)
        producers += [Int?](repeating: nil, count: added)
        readers += [[Int]](repeating: [], count: added)
        switch rewrite {
        case .all(let rewrites): for rewrite in rewrites { apply(rewrite, to: &graph) }
        case .node(let index, let computation, let inputs):
            for case .some(let id) in inputs {
                useCounts[id] += 1
                readers[id].append(index)
            }
            let old = graph.nodes[index].inputs
            graph.nodes[index].computation = computation
            graph.nodes[index].inputs = inputs
            release(old, in: &graph)
        case .value(let old, let new):
            for index in readers[old] {
                for position in graph.nodes[index].inputs.indices
                where graph.nodes[index].inputs[position] == old {
                    graph.nodes[index].inputs[position] = new
                    useCounts[new] += 1
                    readers[new].append(index)
                }
            }
            for position in graph.outputs.indices where graph.outputs[position] == old {
                graph.outputs[position] = new
                useCounts[new] += 1
            }
            readers[old] = []
            // One use is left to give back, which ends the value.
            useCounts[old] = 1
            release([old], in: &graph)
        }
    }

    /// Counts values as read once less, and ends the nodes that nobody needs without them.
    private mutating func release(_ ids: [PlanGraph.ValueID?], in graph: inout PlanGraph) {
        var left = ids
        while let last = left.popLast() {
            guard let id = last else { continue }
            useCounts[id] -= 1
            guard useCounts[id] == 0, let producer = producers[id],
                graph.nodes[producer].outputs.allSatisfy({ $0 == nil || useCounts[$0 ?? id] == 0 })
            else { continue }
            isDead[producer] = true
            left += graph.nodes[producer].inputs
            graph.nodes[producer].inputs = []
        }
    }
}
