import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Drawing

/// Laws of a drawing: every node once, every arrow between boxes that are there, every name as nothing but text.
struct DrawingTests {
    private static let models = [
        "reference/models/vowels-cnn/inference.onnx", "reference/models/vowels-bnlstm/inference.onnx",
        "reference/models/vowels-bnlstm/train.onnx", "reference/models/nested-scan/inference.onnx",
        "reference/models/nested-scan/nested-scan.onnx", "reference/models/peptide-bytenet/inference.onnx",
        "exports/cond-dynamo.onnx", "exports/scan-dynamo.onnx", "exports/scripted-loop-legacy.onnx",
        "exports/transformer-legacy.onnx", "exports/conformer-dynamo.onnx", "exports/packed-lstm-legacy.onnx",
    ]

    private func drawn(_ path: String) throws -> (Model, DrawnGraph) {
        let model = try Model(contentsOf: Fixtures.file(path))
        return (model, GraphDrawing(model).drawn)
    }

    /// The paths of all nodes that are no `Constant`, and of those nodes alone that read an input of their graph.
    private func paths(_ graph: Graph, _ path: NodePath) -> [NodePath] {
        graph.nodes.enumerated().flatMap { index, node -> [NodePath] in
            let own = path.appending(node, at: index)
            return [own] + node.subgraphs.flatMap { paths($0.graph, own.entering($0.attribute)) }
        }
    }

    @Test(arguments: models)
    func `every node is drawn once or is a constant`(_ path: String) throws {
        let (model, drawn) = try drawn(path)
        let all = paths(model.graph, .root)
        let boxes = drawn.boxes.compactMap(\.path)
        #expect(Set(boxes).count == boxes.count)
        #expect(Set(boxes).isSubset(of: all))
        let weighty: Set = [
            "Conv", "MatMul", "Gemm", "Scan", "Loop", "If", "LSTM", "Relu", "Tanh", "Softmax",
        ]
        #expect(!boxes.isEmpty)
        var left: [NodePath] = []
        func visit(_ graph: Graph, _ path: NodePath) {
            for (index, node) in graph.nodes.enumerated() {
                let own = path.appending(node, at: index)
                if weighty.contains(node.operatorType), !boxes.contains(own) { left.append(own) }
                for body in node.subgraphs { visit(body.graph, own.entering(body.attribute)) }
            }
        }
        visit(model.graph, .root)
        #expect(left.isEmpty)
    }

    @Test(arguments: models)
    func `every box stands in one frame, and every arrow leads from box to box`(_ path: String) throws {
        let (model, drawn) = try drawn(path)
        let framed = drawn.root.allBoxes
        #expect(framed.sorted() == Array(drawn.boxes.indices))
        for arrow in drawn.arrows {
            #expect(drawn.boxes.indices.contains(arrow.from) && drawn.boxes.indices.contains(arrow.to))
            #expect(arrow.from != arrow.to)
        }
        let reached = Set(drawn.arrows.flatMap { [$0.from, $0.to] })
        let inputs = Set(model.graph.requiredInputs.map(\.name))
        for (index, box) in drawn.boxes.enumerated() where !inputs.contains(box.tooltip) {
            #expect(reached.contains(index), "\(box.lines) stands alone")
        }
    }

    @Test(arguments: models)
    func `a drawing is the same each time, and its quotes and brackets are in pairs`(_ path: String) throws {
        let model = try Model(contentsOf: Fixtures.file(path))
        let dot = GraphDrawing(model).dot(title: path)
        #expect(dot == GraphDrawing(model).dot(title: path))
        expectWellFormed(dot)
    }

    @Test func `normalizations and bodies are frames of their own`() throws {
        let (_, cnn) = try drawn("reference/models/vowels-cnn/inference.onnx")
        #expect(frames(cnn.root, .site).map(\.title.first) == ["block1.bn", "block2.bn", "block3.bn"])
        #expect(frames(cnn.root, .site).allSatisfy { $0.boxes.count == 4 })
        let (_, lstm) = try drawn("reference/models/vowels-bnlstm/inference.onnx")
        #expect(frames(lstm.root, .body).map(\.title) == [["body"]])
        #expect(frames(lstm.root, .site).count == 3)
        let (_, nested) = try drawn("reference/models/nested-scan/inference.onnx")
        #expect(frames(nested.root, .loop).count == 2)
        #expect(frames(nested.root, .loop).contains { !frames($0, .loop).isEmpty })
        let (_, branches) = try drawn("exports/cond-dynamo.onnx")
        #expect(Set(frames(branches.root, .body).map(\.title)) == [["then branch"], ["else branch"]])
    }

    @Test func `arrows carry shapes with letters for batch and length`() throws {
        let (_, cnn) = try drawn("reference/models/vowels-cnn/inference.onnx")
        #expect(cnn.arrows.contains { $0.label == "B×64×L" })
        #expect(cnn.arrows.contains { $0.label == "B×9" })
    }

    @Test(arguments: [
        "\"]; node [shape=none]; x -> y [label=\"", "\\", "a\\\"", "line\nbreak\r\ttab\u{0}",
        "<b>&lt;</b>&amp;\\N\\G",
        "\u{202E}right to left\u{2028}", "}", "", String(repeating: "long ", count: 5000), "🧬 é 序列",
    ])
    func `a hostile name is nothing but text`(_ name: String) throws {
        let vector: [ONNXGraph.Dimension] = [.symbol(name.isEmpty ? "n" : name), .fixed(2)]
        let body = Graph(
            name: name,
            nodes: [Node("Tanh", name: name, inputs: ["x" + name], outputs: ["b" + name])],
            outputs: [ValueInfo("b" + name, elementType: .float32, dimensions: vector)]
        )
        let model = Model(
            graph: Graph(
                name: name,
                nodes: [
                    Node("Relu", name: name, inputs: ["x" + name], outputs: ["v" + name]),
                    Node(
                        "If",
                        name: name,
                        inputs: ["c" + name],
                        outputs: ["y" + name],
                        attributes: [Attribute("then_branch", .graph(body)), Attribute(name, .graph(body))]
                    ),
                    Node(
                        name,
                        name: "",
                        domain: name,
                        inputs: ["v" + name, "y" + name],
                        outputs: ["z" + name]
                    ),
                ],
                inputs: [
                    ValueInfo("x" + name, elementType: .float32, dimensions: vector),
                    ValueInfo("c" + name, elementType: .bool, dimensions: []),
                ],
                outputs: [ValueInfo("z" + name, elementType: .float32, dimensions: vector)]
            ),
            irVersion: 10,
            opsetImports: ["": 17]
        )
        let plain = GraphDrawing(model).drawn
        #expect(plain.boxes.compactMap(\.path).count == 5)
        let dot = GraphDrawing(model).dot(title: name)
        expectWellFormed(dot)
        #expect(dot.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
        #expect(dot.utf8.count < 12_000 + 40 * name.utf8.count)
    }

    private func frames(_ frame: DrawnGraph.Frame, _ kind: DrawnGraph.Frame.Kind) -> [DrawnGraph.Frame] {
        frame.frames.flatMap { ($0.kind == kind ? [$0] : []) + frames($0, kind) }
    }

    /// Outside of quotes, a drawing has only what the program itself writes.
    private func expectWellFormed(_ dot: String) {
        var outside = ""
        var isQuoted = false
        var isEscaped = false
        for character in dot.unicodeScalars {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if !isQuoted {
                outside.unicodeScalars.append(character)
            }
        }
        #expect(!isQuoted)
        for (open, close) in [("{", "}"), ("[", "]")] {
            #expect(outside.split(separator: open).count == outside.split(separator: close).count)
        }
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,;=[]{}-> \n")
        #expect(outside.allSatisfy(allowed.contains), "\(outside.filter { !allowed.contains($0) })")
    }
}
