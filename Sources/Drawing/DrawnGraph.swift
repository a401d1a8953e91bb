import ONNXGraph

/// What is drawn: boxes, arrows, and frames around boxes.
struct DrawnGraph {
    struct Box {
        /// The lines in it, the first of which is the largest.
        let lines: [String]
        /// What a pointer over it shows.
        let tooltip: String
        let style: NodeStyle
        /// The node of the model that it stands for; nil for an input, an output, or the end of a loop.
        let path: NodePath?
    }

    struct Arrow {
        let from: Int
        let to: Int
        /// The shape of the value.
        let label: String
        /// Whether it only says what belongs to what.
        let isWeak: Bool
    }

    /// A frame around boxes, and around frames.
    struct Frame {
        enum Kind {
            case root, loop, body, site
        }

        let kind: Kind
        let title: [String]
        var boxes: [Int] = []
        var frames: [Frame] = []

        /// All boxes in it, at any depth.
        var allBoxes: [Int] { boxes + frames.flatMap(\.allBoxes) }
    }

    var boxes: [Box] = []
    var arrows: [Arrow] = []
    var root = Frame(kind: .root, title: [])

    /// The whole in the dot language.
    func dot(title: String) -> String {
        var text = """
            digraph model {
              graph [rankdir=TB, nodesep=0.22, ranksep=0.32, bgcolor=white, labelloc=t, fontname="Helvetica", fontsize=13, \
            label=\(DotText.quoted([title]))];
              node [fontname="Helvetica", fontsize=11, fontcolor="#1a1a1a", margin="0.10,0.05", height=0.3];
              edge [fontname="Helvetica", fontsize=8, fontcolor="#5a5a5a", color="#7a7a7a", arrowsize=0.6];

            """
        var count = 0
        write(root, depth: 1, number: &count, to: &text)
        for arrow in arrows {
            var attributes: [String] = []
            if !arrow.label.isEmpty { attributes.append("label=\(DotText.quoted([" " + arrow.label]))") }
            if arrow.isWeak { attributes.append("style=dotted, arrowhead=none") }
            let list = attributes.isEmpty ? "" : " [\(attributes.joined(separator: ", "))]"
            text += "  n\(arrow.from) -> n\(arrow.to)\(list);\n"
        }
        return text + "}\n"
    }

    private func write(_ frame: Frame, depth: Int, number: inout Int, to text: inout String) {
        let indent = String(repeating: "  ", count: depth)
        for index in frame.boxes {
            let box = boxes[index]
            text +=
                "\(indent)n\(index) [label=\(DotText.quoted(box.lines)), tooltip=\(DotText.quoted([box.tooltip])), "
                + "\(box.style.attributes)];\n"
        }
        for inner in frame.frames {
            text += "\(indent)subgraph cluster_\(number) {\n"
            number += 1
            text += "\(indent)  label=\(DotText.quoted(inner.title)); \(Self.look(inner.kind));\n"
            write(inner, depth: depth + 1, number: &number, to: &text)
            text += "\(indent)}\n"
        }
    }

    private static func look(_ kind: Frame.Kind) -> String {
        switch kind {
        case .root: ""
        case .loop:
            "labeljust=l; fontsize=11; fontcolor=\"#51439b\"; style=\"rounded,filled\"; fillcolor=\"#f3f1fb\"; color=\"#51439b\""
        case .body:
            "labeljust=l; fontsize=10; fontcolor=\"#51439b\"; style=\"rounded,dashed,filled\"; fillcolor=\"#fbfaff\"; "
                + "color=\"#8d83c4\""
        case .site:
            "labeljust=l; fontsize=10; fontcolor=\"#1f5c22\"; style=\"rounded,filled\"; fillcolor=\"#e3f4e6\"; color=\"#2f7d32\""
        }
    }
}
