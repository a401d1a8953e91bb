import TensorCore

/// Computes an element-wise operation on rows of a constant table, and constants, for the whole table when the plan is made.
///
/// `f(Gather(table, i), c) = Gather(f(table, c), i)`, to the bit: a kernel gives each element what its operands alone decide.
enum TableFolding: PlannerPass {
    static let name = PassName.tableFolding
    /// The most elements of a table that is kept once more, with the operation done.
    static let maximumCount = 1 << 20

    struct Match {
        let node: Int
        let gather: GatherOperator
        let table: Tensor
        let index: PlanGraph.ValueID
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        let node = graph.nodes[index]
        switch node.computation {
        case is Unary, is Arithmetic, is ScaleShift: break
        case let variadic as Variadic where !variadic.divides && node.inputs.count == 2: break
        default: throw .otherOperator
        }
        guard node.outputs.count == 1 else { throw .otherOperator }
        var (arguments, constants): ([Tensor?], [Tensor]) = ([], [])
        var found: TableLookup?
        for case .some(let id) in node.inputs {
            if let constant = graph.constant(id) {
                arguments.append(constant)
                constants.append(constant)
                continue
            }
            let lookup = try TableLookup(id, in: graph, facts)
            guard found.map({ $0.index == lookup.index && $0.table.shape == lookup.table.shape }) ?? true
            else { throw .unsupportedShape }
            found = found ?? lookup
            arguments.append(lookup.table)
        }
        guard let found else { throw .notConstant }
        guard found.table.count <= maximumCount else { throw .unsupportedShape }
        for constant in constants { try check(constant, fits: found) }
        if let affine = node.computation as? ScaleShift {
            for constant in [affine.scale, affine.shift] { try check(constant, fits: found) }
        }
        guard
            let table = ConstantFolding.evaluate(node.computation, arguments, outputs: 1, .standard)?.first,
            table.shape == found.table.shape
        else { throw .unsupportedShape }
        return Match(node: index, gather: found.gather, table: table, index: found.index)
    }

    /// Fails if a constant does not meet every row of the table in the same way.
    private static func check(_ constant: Tensor, fits lookup: TableLookup) throws(NoMatch) {
        let row = lookup.table.shape.removing(axis: 0)
        guard constant.shape.rank <= row.rank, (try? constant.shape.broadcast(with: row)) == row else {
            throw .unsupportedShape
        }
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        let table = graph.addValue(named: "", constant: match.table)
        return .node(match.node, computation: match.gather, inputs: [table, match.index])
    }
}

/// Rows of a constant float32 table, `[T, ...]`, that a Gather alone reads for one node.
struct TableLookup {
    /// The node that looks up.
    let node: Int
    let gather: GatherOperator
    let table: Tensor
    /// The value that says which rows.
    let index: PlanGraph.ValueID

    init(_ id: PlanGraph.ValueID, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) {
        guard let node = facts.producers[id],
            let gather = graph.nodes[node].computation as? GatherOperator, gather.axis == 0,
            graph.nodes[node].inputs.count == 2, let index = graph.nodes[node].inputs[1]
        else { throw .otherOperator }
        guard let table = graph.constant(graph.nodes[node].inputs[0]) else { throw .notConstant }
        guard table.elementType == .float32 else { throw .unsupportedElementType }
        guard table.shape.rank > 0, table.count > 0 else { throw .unsupportedShape }
        guard facts.useCounts[id] == 1 else { throw .intermediateIsUsed }
        self.node = node
        self.gather = gather
        self.table = table
        self.index = index
    }
}
