import Inference
import ONNXGraph
import TensorCore

/// Writes the masks of normalizations in loops from the mask of the whole batch, float32 `[B, 1, L]`.
struct PositionMasks {
    /// The mask of the whole batch.
    let root: String
    private let analysis: AxisAnalysis
    /// For every Scan, what its body calls the mask of a step, by whether it is handed from the end.
    private var scanned: [NodePath: [Bool: String]] = [:]

    /// Follows the axes of a model.
    ///
    /// - Parameters:
    ///   - model: The training graph.
    ///   - signature: What its inputs mean, where that is known.
    ///   - nodes: The normalizations.
    ///   - root: The name of the mask.
    init(_ model: Model, signature: Signature?, of nodes: Set<NodePath>, root: String) {
        self.root = root
        analysis = AxisAnalysis(model, signature: signature, watching: nodes)
    }

    /// Writes the mask of a normalization's positions.
    ///
    /// - Parameters:
    ///   - node: The normalization, of which the first input is normalized.
    ///   - path: Its path.
    ///   - isChannelsFirst: Whether its channels are on axis 1, else on the last.
    ///   - scope: The graph of the node.
    ///   - index: The node's place in it.
    ///   - writer: The graph.
    /// - Returns: The mask, `[B, 1, P]` with as many positions as the input has, or with all of the batch where it has one.
    /// - Throws: Why it is not known.
    mutating func mask(
        of node: Node,
        at path: NodePath,
        isChannelsFirst: Bool,
        in scope: ValueScope,
        before index: Int,
        _ writer: inout NodeWriter
    ) throws(UnknownPositions) -> String {
        let valid = try ValidPositions(of: path, isChannelsFirst: isChannelsFirst, analysis)
        for slice in valid.slices {
            guard slice.isVisible(in: scope, before: index) else { throw .order }
        }
        var mask: String?
        for slice in valid.slices {
            let rows = writer.reshape(self.mask(of: slice, &writer), to: [0, 1, 1])
            mask = mask.map { writer.add("Mul", [$0, rows]) } ?? rows
        }
        if valid.positions.contains(.time) || mask == nil {
            mask = mask.map { writer.add("Mul", [root, $0]) } ?? root
        }
        let whole = mask ?? root
        guard valid.positions.contains(where: { $0 != .time && $0 != .other(1) }) else { return whole }
        return spread(
            whole,
            over: valid.positions,
            of: node.inputs[0],
            isChannelsFirst: isChannelsFirst,
            &writer
        )
    }

    /// Hands masks to the steps of a Scan as far as normalizations in it need them.
    ///
    /// - Parameters:
    ///   - node: The Scan.
    ///   - path: Its path.
    ///   - body: Its body.
    func hand(to node: inout Node, at path: NodePath, _ body: inout Graph) {
        for (isBackward, name) in (scanned[path] ?? [:]).sorted(by: { !$0.key && $1.key }) {
            let count = node.scanInputCount
            node.inputs.append(root)
            body.inputs.append(ValueInfo(name, elementType: .float32, dimensions: nil))
            node.append(2, toList: "scan_input_axes", ofCount: count + 1)
            node.append(isBackward ? 1 : 0, toList: "scan_input_directions", ofCount: count + 1)
            node.setInt("num_scan_inputs", to: count + 1)
        }
    }

    /// The mask of one position of every sequence.
    private mutating func mask(of slice: TimeSlice, _ writer: inout NodeWriter) -> String {
        switch slice.source {
        case .pick(let index, _, _):
            return writer.add("Gather", [root, index], [Attribute("axis", .int(2))])
        case .scan(let isBackward):
            if let name = scanned[slice.loop]?[isBackward] { return name }
            let name = writer.shared.names.fresh("\(slice.loop)/sequence_mask")
            scanned[slice.loop, default: [:]][isBackward] = name
            return name
        }
    }

    /// A mask for an input that has further axes beside the one of positions, `[B, 1, P]`.
    private func spread(
        _ mask: String,
        over positions: [SequenceAxis],
        of value: String,
        isChannelsFirst: Bool,
        _ writer: inout NodeWriter
    ) -> String {
        // Where no axis is of positions, every sequence with any valid one counts.
        let hasTime = positions.contains(.time)
        let rows = hasTime ? mask : writer.reduce("ReduceMax", mask, axes: [2])
        let aligned = writer.reshape(rows, to: [0, 1] + positions.map { $0 == .time ? -1 : 1 })
        let first = isChannelsFirst ? 2 : 1
        let places = writer.constant((first..<(first + positions.count)).map { Int64($0) })
        let lengths = writer.add(
            "Gather",
            [writer.add("Shape", [value]), places],
            [Attribute("axis", .int(0))]
        )
        let shape = writer.add("Concat", [writer.constant([1, 1]), lengths], [Attribute("axis", .int(0))])
        return writer.reshape(writer.add("Expand", [aligned, shape]), to: [0, 1, -1])
    }
}

extension TimeSlice {
    /// Whether the number that picks the position is made before a node of a graph.
    fileprivate func isVisible(in scope: ValueScope, before index: Int) -> Bool {
        guard case .pick(let name, let graph, _) = source else { return true }
        guard let home = scope.home(of: name)?.current, let path = scope.current?.path,
            graph.steps.starts(with: home.path.steps)
        else { return false }
        guard let maker = home.makers[name] else { return true }
        let place = path.steps.count > home.path.steps.count ? path.steps[home.path.steps.count].index : index
        return maker < place
    }
}

extension Node {
    fileprivate mutating func setInt(_ name: String, to value: Int) {
        var list = attributes
        guard let index = list.firstIndex(where: { $0.name == name }) else { return }
        list[index].value = .int(Int64(value))
        attributes = list
    }
}
