import ONNXGraph

/// Where the values of a normalization are, one for each position of a sequence.
enum LayerPlace: Sendable {
    /// In the model's own graph.
    case ownGraph
    /// In the body of a Scan over the positions: one step a position.
    case steps
}

/// Tells which normalizations of a model have a value for each position.
///
/// Those of the model's own graph do; those of a loop only if it is a Scan of the model's own graph along the time axis
/// of the sequences, so that its steps are the positions. Inside of a loop in a loop, or in one along another axis, there
/// is no value that belongs to a position.
struct LayerPlaces {
    private let nodes: [Node]
    private let opset: Int
    /// For each value, which of its axes are which of the sequence input's.
    private let axes: [String: AxisMap]
    private let timeAxis: Int

    init(_ model: Model, _ signature: Signature) {
        let graph = model.graph
        nodes = graph.nodes
        opset = model.opsetImports[""] ?? 0
        let rank: Int
        switch signature.sequence.kind {
        case .tokens: (rank, timeAxis) = (2, 1)
        case .features(.channelsLast, _): (rank, timeAxis) = (3, 1)
        case .features(.channelsFirst, _): (rank, timeAxis) = (3, 2)
        }
        axes = InputUsage.axisMaps(of: signature.sequence.name, rank: rank, in: graph)
    }

    /// Where a normalization's values are; nil if there is none for each position.
    func place(of site: NormalizationSite) -> LayerPlace? {
        guard site.isNested else { return .ownGraph }
        guard site.path.depth == 1, let index = site.path.steps.first?.index, nodes.indices.contains(index)
        else { return nil }
        return goesOverPositions(nodes[index]) ? .steps : nil
    }

    /// Whether a node is a Scan whose steps are the positions, in one order.
    ///
    /// One input that is scanned along the time axis is enough, as all have as many steps.
    private func goesOverPositions(_ node: Node) -> Bool {
        guard node.operatorType == "Scan", node.domain.isEmpty, opset >= 9,
            case .int(let count)? = node.attribute("num_scan_inputs"),
            let scanCount = Int(exactly: count), (1...max(1, node.inputs.count)).contains(scanCount)
        else { return false }
        let scanned = node.inputs.suffix(scanCount)
        let scanAxes = Self.list("scan_input_axes", of: node, count: scanCount)
        let directions = Self.list("scan_input_directions", of: node, count: scanCount)
        guard scanned.count == scanCount, scanAxes.count == scanCount, directions.count == scanCount else {
            return false
        }
        var timeDirections: Set<Int64> = []
        for (index, input) in scanned.enumerated() {
            guard let map = axes[input] else { continue }
            let axis = Int(clamping: scanAxes[index])
            let place = axis < 0 ? axis + map.count : axis
            if map.indices.contains(place), map[place] == timeAxis {
                timeDirections.insert(directions[index])
            }
        }
        // Steps that run backward are put in the order of the positions only if everything runs backward.
        return timeDirections == [0] || timeDirections == [1] && directions.allSatisfy { $0 == 1 }
    }

    private static func list(_ name: String, of node: Node, count: Int) -> [Int64] {
        if case .ints(let list)? = node.attribute(name) { list } else { [Int64](repeating: 0, count: count) }
    }
}
