import ONNXGraph
import TensorCore

@testable import Inference

/// Small models for probing.
enum ProbeModels {
    /// A convolution of two channels without padding, its maximum over time.
    static func convolution(kernel: Int) throws -> Model {
        let weights = (0..<(2 * 2 * kernel)).map { Float($0 % 5) * 0.5 - 1 }
        let filter = try Tensor(weights, shape: try Shape(checking: [2, 2, kernel]))
        return Model(
            graph: Graph(
                name: "convolution",
                nodes: [
                    Node("Conv", name: "conv", inputs: ["x", "w"], outputs: ["h"]),
                    Node("GlobalAveragePool", name: "pool", inputs: ["h"], outputs: ["p"]),
                    Node("Flatten", name: "flat", inputs: ["p"], outputs: ["y"]),
                ],
                initializers: [Initializer("w", filter)],
                inputs: [
                    ValueInfo(
                        "x",
                        elementType: .float32,
                        dimensions: [.symbol("batch"), .fixed(2), .symbol("time")]
                    )
                ],
                outputs: [ValueInfo("y", elementType: .float32, dimensions: [.symbol("batch"), .fixed(2)])]
            ),
            irVersion: 10,
            opsetImports: ["": 17]
        )
    }
}
