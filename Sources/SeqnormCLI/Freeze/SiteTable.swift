import Freezing
import ONNXGraph
import Statistics

/// What was found in a graph, as a table.
enum SiteTable {
    /// A head and a row for each normalization, in the order of the graph.
    static func lines(_ plan: FreezePlan) -> [String] {
        let head = ["normalization", "path", "statistics", "depth", "found by", "estimator"]
        let rows = plan.sites.map { site in
            [
                site.label, "\(site.path)", kinds(site), "\(site.depth)", site.origin.words,
                plan.estimator(of: site).rawValue,
            ]
        }
        return TextTable.lines([head] + rows, rightAligned: [3])
    }

    private static func kinds(_ site: BatchStatisticSite) -> String {
        let kinds = [("mean", site.mean), ("variance", site.variance), ("count", site.count)]
        if site.variance == nil && site.mean != nil && site.count == nil { return "value" }
        return kinds.compactMap { $0.1 == nil ? nil : $0.0 }.joined(separator: ", ")
    }
}
