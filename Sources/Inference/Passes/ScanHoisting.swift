/// Takes the work of a Scan body that needs no state out of the loop, to be done for all steps at once, and makes the rest
/// a list of operations in place.
///
/// Applies where every node that needs a state has a form that runs in place (see ``ScanSchedule``). No rounding changes.
enum ScanHoisting: PlannerPass {
    static let name = PassName.scanHoisting

    struct Match {
        let index: Int
        let scan: Scan
    }

    static func check(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) -> Match {
        guard let scan = graph.nodes[index].computation as? Scan, scan.schedule == nil else {
            throw .otherOperator
        }
        return Match(index: index, scan: Scan(scan, schedule: try scan.makeSchedule()))
    }

    static func rewrite(_ match: Match, in graph: inout PlanGraph) -> NodeRewrite {
        .node(match.index, computation: match.scan, inputs: graph.nodes[match.index].inputs)
    }
}
