import Inference
import ONNXGraph

/// Makes boxes, arrows and frames of a model.
struct DrawingBuilder {
    /// The deepest nesting that is drawn.
    static let maximumDepth = 16

    let shapes: [String: [String]]
    let sites: [NormalizationSite]
    private var drawn = DrawnGraph()

    init(shapes: [String: [String]], sites: [NormalizationSite]) {
        self.shapes = shapes
        self.sites = sites
    }

    /// Where the values of a graph come from, those of enclosing graphs included.
    private struct Scope {
        var boxes: [String: Int] = [:]
        /// The sizes of constants; nil where they are not known.
        var constants: [String: [Int]?] = [:]
        /// The shapes that the file declares or that were found.
        var labels: [String: String] = [:]
    }

    mutating func draw(_ model: Model) -> DrawnGraph {
        var root = DrawnGraph.Frame(kind: .root, title: [])
        var scope = Scope()
        let graph = model.graph
        for input in graph.requiredInputs {
            let label = Self.label(input)
            let box = add(
                .init(lines: [input.name, label], tooltip: input.name, style: .input, path: nil),
                to: &root
            )
            scope.boxes[input.name] = box
            scope.labels[input.name] = label
        }
        for (name, axes) in shapes { scope.labels[name] = axes.joined(separator: "×") }
        add(graph, path: .root, depth: 0, &scope, to: &root)
        for output in graph.outputs {
            let label = scope.labels[output.name] ?? Self.label(output)
            let lines = [output.name, label].filter { !$0.isEmpty }.map(DotText.shortened)
            let box = add(.init(lines: lines, tooltip: output.name, style: .output, path: nil), to: &root)
            connect(output.name, to: box, scope)
        }
        drawn.root = root
        return drawn
    }

    private mutating func add(_ box: DrawnGraph.Box, to frame: inout DrawnGraph.Frame) -> Int {
        drawn.boxes.append(box)
        frame.boxes.append(drawn.boxes.count - 1)
        return drawn.boxes.count - 1
    }

    private mutating func connect(_ name: String, to box: Int, _ scope: Scope) {
        guard let source = scope.boxes[name] else { return }
        drawn.arrows.append(.init(from: source, to: box, label: scope.labels[name] ?? "", isWeak: false))
    }

    /// Adds the nodes of a graph; its inputs are in the scope.
    private mutating func add(
        _ graph: Graph,
        path: NodePath,
        depth: Int,
        _ scope: inout Scope,
        to frame: inout DrawnGraph.Frame
    ) {
        for initializer in graph.initializers where scope.boxes[initializer.name] == nil {
            scope.constants[initializer.name] = initializer.dimensions
        }
        for value in graph.valueInfos where scope.labels[value.name] == nil {
            let label = Self.label(value)
            if !label.isEmpty { scope.labels[value.name] = label }
        }
        var boxes: [Int: Int] = [:]
        let nodes = graph.nodes
        for (index, node) in nodes.enumerated() {
            for name in node.outputs where !name.isEmpty { scope.constants[name] = nil }
            if isConstant(node, scope) {
                for name in node.outputs where !name.isEmpty {
                    scope.constants.updateValue(Optional<[Int]>.none, forKey: name)
                    scope.boxes[name] = nil
                }
                continue
            }
            let place = path.appending(node, at: index)
            let bodies = node.attributes.filter { if case .graph = $0.value { true } else { false } }
            if bodies.isEmpty || depth >= Self.maximumDepth {
                let box = add(self.box(node, place, scope), to: &frame)
                for name in node.inputs where !name.isEmpty { connect(name, to: box, scope) }
                for name in node.outputs where !name.isEmpty { scope.boxes[name] = box }
                boxes[index] = box
            } else {
                add(loop: node, place, bodies, depth: depth, &scope, to: &frame)
            }
        }
        frameSites(in: path, nodes, boxes, &frame)
    }

    /// Whether a node's values are known without any input.
    private func isConstant(_ node: Node, _ scope: Scope) -> Bool {
        if node.operatorType == "Constant" { return true }
        let inputs = node.inputs.filter { !$0.isEmpty }
        guard !inputs.isEmpty, !node.operatorType.hasPrefix("Random") else { return false }
        for attribute in node.attributes { if case .graph = attribute.value { return false } }
        return inputs.allSatisfy { scope.constants[$0] != nil && scope.boxes[$0] == nil }
    }

    private func box(_ node: Node, _ path: NodePath, _ scope: Scope) -> DrawnGraph.Box {
        let site = sites.first { $0.path == path && $0.kind == .batchNormalization }
        var lines = [node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)"]
        let repeats = node.name.lowercased() == node.operatorType.lowercased()
        if !node.name.isEmpty, !repeats { lines.append(node.name) }
        let weights = node.inputs.compactMap { scope.constants[$0] ?? nil }.filter {
            $0.count > 1 || $0.first ?? 0 > 1
        }
        let sizes = weights.map { $0.map(String.init).joined(separator: "×") }.joined(separator: ", ")
        let details = [AttributeWords.words(of: node), sizes].filter { !$0.isEmpty }.joined(separator: " · ")
        if !details.isEmpty, site == nil { lines.append(details) }
        return DrawnGraph.Box(
            lines: lines.map(DotText.shortened),
            tooltip: "\(path)",
            style: site == nil ? NodeStyle(operatorType: node.operatorType) : .normalization,
            path: path
        )
    }

    /// Adds a node with subgraphs: a frame that holds the node, its bodies, and a box where its values come out.
    private mutating func add(
        loop node: Node,
        _ path: NodePath,
        _ bodies: [Attribute],
        depth: Int,
        _ scope: inout Scope,
        to frame: inout DrawnGraph.Frame
    ) {
        let title = [node.name.isEmpty ? node.operatorType : "\(node.operatorType)  \(node.name)"].map(
            DotText.shortened
        )
        var loop = DrawnGraph.Frame(kind: .loop, title: title)
        let entry = add(
            .init(lines: [node.operatorType], tooltip: "\(path)", style: .control, path: path),
            to: &loop
        )
        for name in node.inputs where !name.isEmpty { connect(name, to: entry, scope) }
        var ends: [Int] = []
        for attribute in bodies {
            guard case .graph(let body) = attribute.value else { continue }
            var inner = DrawnGraph.Frame(kind: .body, title: [attribute.name.replacing("_", with: " ")])
            var innerScope = scope
            let place = path.entering(attribute.name)
            for (position, input) in body.requiredInputs.enumerated() {
                let role = LoopRoles.input(position, of: node, count: body.requiredInputs.count)
                let label = Self.label(input)
                let lines = [[role, input.name].filter { !$0.isEmpty }.joined(separator: " ")].map(
                    DotText.shortened
                )
                let box = add(
                    .init(lines: lines, tooltip: input.name, style: .bodyValue, path: nil),
                    to: &inner
                )
                innerScope.boxes[input.name] = box
                innerScope.constants[input.name] = nil
                innerScope.labels[input.name] = label
                let outer = LoopRoles.outerInput(position, of: node)
                let known = role == "state" ? outer.flatMap { scope.labels[$0] } ?? "" : ""
                drawn.arrows.append(
                    .init(from: entry, to: box, label: label.isEmpty ? known : label, isWeak: false)
                )
            }
            if body.requiredInputs.isEmpty {
                let words = attribute.name.replacing("_", with: " ")
                let box = add(.init(lines: [words], tooltip: words, style: .bodyValue, path: nil), to: &inner)
                drawn.arrows.append(.init(from: entry, to: box, label: "", isWeak: true))
            }
            add(body, path: place, depth: depth + 1, &innerScope, to: &inner)
            for (position, output) in body.outputs.enumerated() {
                let role = LoopRoles.output(position, of: node)
                let lines = [[role, output.name].filter { !$0.isEmpty }.joined(separator: " ")].map(
                    DotText.shortened
                )
                let box = add(
                    .init(lines: lines, tooltip: output.name, style: .bodyValue, path: nil),
                    to: &inner
                )
                connect(output.name, to: box, innerScope)
                ends.append(box)
            }
            loop.frames.append(inner)
        }
        let exit = add(
            .init(lines: ["end of \(node.operatorType)"], tooltip: "\(path)", style: .control, path: nil),
            to: &loop
        )
        for end in ends { drawn.arrows.append(.init(from: end, to: exit, label: "", isWeak: false)) }
        for name in node.outputs where !name.isEmpty { scope.boxes[name] = exit }
        frame.frames.append(loop)
    }

    /// Puts the nodes of each normalization into a frame of its own.
    private func frameSites(
        in path: NodePath,
        _ nodes: [Node],
        _ boxes: [Int: Int],
        _ frame: inout DrawnGraph.Frame
    ) {
        for site in sites where site.path.graph == path {
            guard let last = site.path.steps.last?.index, nodes.indices.contains(last) else { continue }
            let chain = site.kind == .batchNormalization ? [last] : SiteChain.nodes(endingAt: last, in: nodes)
            let inside = chain.compactMap { boxes[$0] }.filter(frame.boxes.contains)
            guard !inside.isEmpty else { continue }
            frame.boxes.removeAll(where: inside.contains)
            // The frames around tell the rest of the path.
            let name = site.name.split(separator: "/").last.map(String.init) ?? site.name
            let title = [DotText.shortened(name), "normalizes \(site.channels) channels"]
            frame.frames.append(DrawnGraph.Frame(kind: .site, title: title, boxes: inside.sorted()))
        }
    }

    /// A declared shape, such as `batch×64×time`.
    private static func label(_ value: ValueInfo) -> String {
        guard let dimensions = value.dimensions else { return "" }
        return dimensions.map { dimension in
            switch dimension {
            case .fixed(let size): "\(size)"
            case .symbol(let name): DotText.shortened(name)
            case .unknown: "?"
            }
        }.joined(separator: "×")
    }
}
