import ONNXGraph

/// Finds the batch statistics of a training graph, at any depth of Scan, Loop and If.
///
/// In this order, the first that names a value wins: labels on nodes, labels in the model's metadata, names given by
/// the caller, BatchNormalization in training mode, means and variances written with plain operators.
enum StatisticFinder {
    /// The sites of a model, in the order they run.
    ///
    /// - Parameters:
    ///   - model: A valid model.
    ///   - options: Names of further statistics, and whether patterns are searched for.
    /// - Returns: The sites, each label once; none if nothing is found.
    /// - Throws: ``FreezeError`` for labels that contradict each other or name nothing.
    static func sites(in model: Model, options: FreezeOptions) throws(FreezeError) -> [FoundSite] {
        var values = try LabelFinder.values(in: model, selecting: options.statistics)
        if options.findsPatterns { add(PatternFinder.matches(in: model), to: &values) }
        var sites = try SiteAssembly.sites(of: values, in: model)
        sites += TrainingModeFinder.sites(in: model)
        return SiteNames.unique(sites.sorted { $0.site.path.isBefore($1.site.path) })
    }

    /// Adds the values of patterns that no label names, under the stem of the label that their partner has.
    private static func add(_ matches: [PatternFinder.Match], to values: inout [FoundValue]) {
        func labelled(_ reduction: BatchReduction) -> FoundValue? {
            values.first { $0.name == reduction.value && $0.graph == reduction.scope.current?.path }
        }
        for match in matches {
            let mean = labelled(match.mean)
            let variance = labelled(match.variance)
            let stem = (mean ?? variance).map { StatisticRole.split($0.label).stem }
            for (reduction, role, known) in [(match.mean, "mean", mean), (match.variance, "var", variance)]
            where known == nil {
                guard let level = reduction.scope.current, let index = level.makers[reduction.value] else {
                    continue
                }
                values.append(
                    FoundValue(
                        name: reduction.value,
                        label: "\(stem ?? patternStem(match)).\(role)",
                        graph: level.path,
                        maker: level.path.appending(level.nodes[index], at: index),
                        origin: .pattern
                    )
                )
            }
        }
    }

    private static func patternStem(_ match: PatternFinder.Match) -> String {
        let (stem, role) = StatisticRole.split(match.mean.value)
        if role != .plain { return stem }
        let suffix = "_output_0"
        return match.mean.value.hasSuffix(suffix)
            ? String(match.mean.value.dropLast(suffix.count)) : match.mean.value
    }
}

/// Joins values into sites by the stems of their labels.
enum SiteAssembly {
    private struct Group {
        let stem: String
        let graph: NodePath
        var values: [StatisticRole: FoundValue] = [:]
    }

    static func sites(of values: [FoundValue], in model: Model) throws(FreezeError) -> [FoundSite] {
        var groups: [Group] = []
        for value in values {
            let (stem, role) = StatisticRole.split(value.label)
            let position = groups.firstIndex { $0.stem == stem && $0.graph == value.graph }
            if let position {
                if let other = groups[position].values[role] {
                    throw .duplicateLabel(
                        value.label,
                        first: other.name,
                        second: value.name,
                        graph: value.graph
                    )
                }
                groups[position].values[role] = value
            } else {
                groups.append(Group(stem: stem, graph: value.graph, values: [role: value]))
            }
        }
        var sites: [FoundSite] = []
        for group in groups {
            let statistic = group.values[.mean] ?? group.values[.plain] ?? group.values[.variance]
            guard let statistic else { continue }
            sites.append(try site(group, statistic, groups, model))
        }
        return sites
    }

    private static func site(
        _ group: Group,
        _ statistic: FoundValue,
        _ groups: [Group],
        _ model: Model
    ) throws(FreezeError) -> FoundSite {
        let mean = group.values[.mean] ?? group.values[.plain]
        let variance = group.values[.variance]
        var count = given(.count, for: group, in: groups)
        var total = given(.total, for: group, in: groups)
        if count == nil || total == nil {
            let scope: ValueScope
            do { scope = try ValueScope(model, at: group.graph) } catch { throw .model(error) }
            let reduction =
                mean.flatMap { BatchReduction($0.name, in: scope) }
                ?? variance.flatMap { BatchReduction($0.name, in: scope) }
            if let reduction, group.values[.plain] == nil {
                count = count ?? reduction.count
                total = total ?? reduction.total
            }
        }
        return FoundSite(
            site: BatchStatisticSite(
                label: group.stem,
                origin: statistic.origin,
                path: statistic.maker,
                depth: group.graph.loops.count,
                mean: mean.map { StatisticValue(label: $0.label, name: $0.name, graph: $0.graph) },
                variance: variance.map { StatisticValue(label: $0.label, name: $0.name, graph: $0.graph) },
                count: count.map {
                    StatisticValue(label: "\(group.stem).count", name: $0.name, graph: $0.graph)
                },
                total: total.map {
                    StatisticValue(label: "\(group.stem).total", name: $0.name, graph: $0.graph)
                },
                loops: group.graph.loops
            ),
            count: count,
            total: total
        )
    }

    /// A labelled number of positions, in the group's own graph or in one around it.
    private static func given(_ role: StatisticRole, for group: Group, in groups: [Group]) -> PositionSource?
    {
        let visible = groups.filter {
            $0.stem == group.stem && group.graph.steps.starts(with: $0.graph.steps)
        }
        let found = visible.compactMap { $0.values[role] }.max { $0.graph.steps.count < $1.graph.steps.count }
        return found.map { .value($0.name, graph: $0.graph) }
    }
}

/// Makes the labels of sites unique: what stands in several graphs is called after the nodes around it.
enum SiteNames {
    static func unique(_ sites: [FoundSite]) -> [FoundSite] {
        var counts: [String: Int] = [:]
        for site in sites { counts[site.site.label, default: 0] += 1 }
        var taken: Set<String> = []
        return sites.map { found in
            let site = found.site
            let graph = site.path.graph
            var label = site.label
            if counts[label, default: 0] > 1 {
                label = (site.loops + [label]).joined(separator: "/")
                if sites.contains(where: { $0.site != site && $0.isNamed(label) }) {
                    label = graph.steps.isEmpty ? site.label : "\(graph)/\(site.label)"
                }
            }
            let wanted = label
            var number = 1
            while !taken.insert(label).inserted {
                number += 1
                label = "\(wanted)#\(number)"
            }
            return label == site.label ? found : found.renamed(label)
        }
    }
}

extension FoundSite {
    fileprivate func isNamed(_ label: String) -> Bool {
        (site.loops + [site.label]).joined(separator: "/") == label
    }

    func renamed(_ label: String) -> FoundSite {
        func renamed(_ value: StatisticValue?) -> StatisticValue? {
            value.map { value in
                let rest =
                    value.label.hasPrefix(site.label) ? value.label.dropFirst(site.label.count) : ".statistic"
                return StatisticValue(label: label + rest, name: value.name, graph: value.graph)
            }
        }
        var copy = self
        copy.site = BatchStatisticSite(
            label: label,
            origin: site.origin,
            path: site.path,
            depth: site.depth,
            mean: renamed(site.mean),
            variance: renamed(site.variance),
            count: renamed(site.count),
            total: renamed(site.total),
            loops: site.loops
        )
        return copy
    }
}

extension NodePath {
    /// Whether the node or graph comes before another in the order nodes run, outer before inner.
    func isBefore(_ other: NodePath) -> Bool {
        for (a, b) in zip(steps, other.steps) {
            if a.index != b.index { return a.index < b.index }
            if a.body != b.body { return (a.body ?? "") < (b.body ?? "") }
        }
        return steps.count < other.steps.count
    }
}
