import Freezing
import Inference
import ONNXGraph
import TensorCore
import Testing

/// Training graphs with a BatchNormalization in loops, opset 17; x is `[B, T, 2]`, or `[B, 2, T]` where layers are looped over.
enum LoopSamples {
    static let epsilon: Float = 0.01

    static let signature = Signature(
        sequence: SequenceInput(name: "x", kind: .features(layout: .channelsLast, channels: 2))
    )
    static let channelsFirst = Signature(
        sequence: SequenceInput(name: "x", kind: .features(layout: .channelsFirst, channels: 2))
    )

    static func normalization(of x: String, to y: String, label: String = "bn") -> Node {
        Node(
            "BatchNormalization",
            name: label,
            inputs: [x, "scale", "bias", "running_mean", "running_variance"],
            outputs: [y],
            attributes: [Attribute("training_mode", .int(1)), Attribute("epsilon", .float(epsilon))]
        )
    }

    static let parameters: [Initializer] = [
        Initializer("scale", Tensor(repeating: Float(1), shape: [2])),
        Initializer("bias", Tensor(repeating: Float(0), shape: [2])),
        Initializer("running_mean", Tensor(repeating: Float(0), shape: [2])),
        Initializer("running_variance", Tensor(repeating: Float(1), shape: [2])),
        Initializer("first", Tensor(repeating: Int64(0), shape: [1])),
        Initializer("width", Tensor(repeating: Int64(2), shape: [1])),
        Initializer("last_offset", Tensor(scalar: Int64(1))),
        Initializer("axis", Tensor(scalar: Int64(1))),
    ]

    static func values(_ names: [String]) -> [ValueInfo] {
        names.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
    }

    static func body(_ nodes: [Node], from inputs: [String], to outputs: [String]) -> Graph {
        Graph(name: "body", nodes: nodes, inputs: values(inputs), outputs: values(outputs))
    }

    static func model(
        _ nodes: [Node],
        layout: Signature,
        outputs: [String],
        constants: [Initializer] = []
    ) throws -> Model {
        let isLast = layout == signature
        let axes: [Dimension] =
            isLast ? Samples.steps : [.symbol("batch"), .fixed(2), .symbol("time")]
        let zeros = [
            Node("Shape", inputs: ["x"], outputs: ["lengths"]),
            Node("Gather", inputs: ["lengths", "first"], outputs: ["rows"]),
            Node(
                "Concat",
                inputs: ["rows", "width"],
                outputs: ["size"],
                attributes: [Attribute("axis", .int(0))]
            ),
            Node("ConstantOfShape", inputs: ["size"], outputs: ["zeros"]),
        ]
        return try Samples.model(
            zeros + nodes,
            inputs: [("x", axes)],
            outputs: outputs,
            constants: parameters + constants
        )
    }

    /// `h = norm(x_t + h)` at every step, whose nodes have a prefix.
    static func step(_ prefix: String = "", of x: String) -> [Node] {
        [
            Node("Add", inputs: [x, "\(prefix)h"], outputs: ["\(prefix)z"]),
            normalization(of: "\(prefix)z", to: "\(prefix)next", label: "\(prefix)bn"),
            Node("Identity", inputs: ["\(prefix)next"], outputs: ["\(prefix)each"]),
        ]
    }

    static func scan(
        _ inputs: [String],
        _ outputs: [String],
        _ body: Graph,
        axes: [Int64],
        directions: [Int64]? = nil,
        named name: String = "loop"
    ) -> Node {
        Node(
            "Scan",
            name: name,
            inputs: inputs,
            outputs: outputs,
            attributes: [
                Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(Int64(axes.count))),
                Attribute("scan_input_axes", .ints(axes)),
            ] + (directions.map { [Attribute("scan_input_directions", .ints($0))] } ?? [])
        )
    }

    /// A Scan over time.
    static func scanned(isBackward: Bool = false) throws -> Model {
        let body = body(step(of: "x_t"), from: ["h", "x_t"], to: ["next", "each"])
        let scan = scan(
            ["zeros", "x"],
            ["last", "all"],
            body,
            axes: [1],
            directions: isBackward ? [1] : nil
        )
        return try model([scan], layout: signature, outputs: ["last", "all"])
    }

    /// A Loop over time that picks each position, the last one first if it is backward.
    static func looped(isBackward: Bool = false) throws -> Model {
        let index =
            isBackward
            ? [
                Node("Sub", inputs: ["count", "last_offset"], outputs: ["end"]),
                Node("Sub", inputs: ["end", "i"], outputs: ["index"]),
            ] : [Node("Identity", inputs: ["i"], outputs: ["index"])]
        let pick = Node(
            "Gather",
            inputs: ["x", "index"],
            outputs: ["x_t"],
            attributes: [Attribute("axis", .int(1))]
        )
        let body = Graph(
            name: "body",
            nodes: index + [pick, Node("Identity", inputs: ["c"], outputs: ["c_next"])] + step(of: "x_t"),
            inputs: [
                ValueInfo("i", elementType: .int64, dimensions: []),
                ValueInfo("c", elementType: .bool, dimensions: []),
            ] + values(["h"]),
            outputs: [ValueInfo("c_next", elementType: .bool, dimensions: [])] + values(["next", "each"])
        )
        return try model(
            [
                Node("Shape", inputs: ["x"], outputs: ["shape"]),
                Node("Gather", inputs: ["shape", "axis"], outputs: ["count"]),
                Node(
                    "Loop",
                    name: "loop",
                    inputs: ["count", "", "zeros"],
                    outputs: ["last", "all"],
                    attributes: [Attribute("body", .graph(body))]
                ),
            ],
            layout: signature,
            outputs: ["last", "all"]
        )
    }

    /// Padded sequences of given lengths, NaN at padding if asked for.
    static func batch(
        _ lengths: [Int],
        padded: Int? = nil,
        seed: Int,
        isChannelsFirst: Bool = false,
        hasNaN: Bool = false
    ) throws -> TrainingBatch {
        let count = padded ?? lengths.max() ?? 0
        var batch = try Samples.batch(
            isChannelsFirst ? [lengths.count, 2, count] : [lengths.count, count, 2],
            seed: seed
        )
        batch.lengths = lengths
        guard hasNaN, let x = batch.inputs["x"] else { return batch }
        var numbers = x.array(of: Float.self)
        for index in numbers.indices {
            let position = isChannelsFirst ? index % count : index / 2 % count
            if position >= lengths[index / (2 * count)] { numbers[index] = .nan }
        }
        batch.inputs["x"] = try Tensor(numbers, shape: x.shape)
        return batch
    }
}
