import Foundation
import TensorCore
import TestSupport

@testable import ONNXGraph

/// Models for tests.
enum Samples {
    static let referenceModels = [
        "vowels-cnn/train", "vowels-cnn/inference", "peptide-bytenet/train", "peptide-bytenet/inference",
        "vowels-bnlstm/train", "vowels-bnlstm/inference", "nested-scan/nested-scan", "nested-scan/inference",
        "vowels-plain-bn/eval-legacy", "vowels-plain-bn/eval-legacy-unfolded",
        "vowels-plain-bn/eval-legacy-nomask", "vowels-plain-bn/eval-dynamo",
        "vowels-plain-bn/eval-dynamo-unoptimized", "vowels-plain-bn/train-legacy",
    ]

    static func file(_ name: String) -> URL { Fixtures.reference("models/\(name).onnx") }
    static func bytes(_ name: String) throws -> Data { try Data(contentsOf: file(name)) }
    static func model(_ name: String) throws -> Model { try Model(contentsOf: file(name)) }

    static let vector: [ONNXGraph.Dimension] = [.symbol("n")]

    /// A model of nodes from `x` to `y`, both `[n]` float32.
    static func model(
        _ nodes: [Node],
        initializers: [Initializer] = [],
        irVersion: Int64 = 10,
        opset: Int = 17
    ) -> Model {
        Model(
            graph: Graph(
                name: "sample",
                nodes: nodes,
                initializers: initializers,
                inputs: [ValueInfo("x", elementType: .float32, dimensions: vector)],
                outputs: [ValueInfo("y", elementType: .float32, dimensions: vector)]
            ),
            irVersion: irVersion,
            opsetImports: ["": opset]
        )
    }

    static func relu(_ input: String, _ output: String, name: String = "") -> Node {
        Node("Relu", name: name, inputs: [input], outputs: [output])
    }

    /// `y = x` through `depth` branches in one another.
    static func nested(depth: Int) -> Model {
        var graph = Graph(
            name: "innermost",
            nodes: [relu("x", "v0")],
            outputs: [ValueInfo("v0", elementType: .float32, dimensions: vector)]
        )
        for level in 1..<max(depth, 1) {
            graph = Graph(
                name: "level",
                nodes: [branch(graph, output: "v\(level)")],
                outputs: [ValueInfo("v\(level)", elementType: .float32, dimensions: vector)]
            )
        }
        let condition = Initializer("condition", Tensor(scalar: true))
        guard depth > 0 else { return model([relu("x", "y")], initializers: [condition]) }
        return model([branch(graph, output: "y")], initializers: [condition])
    }

    private static func branch(_ graph: Graph, output: String) -> Node {
        Node(
            "If",
            inputs: ["condition"],
            outputs: [output],
            attributes: [Attribute("then_branch", .graph(graph))]
        )
    }
}
