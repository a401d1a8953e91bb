import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Recurrent layers over packed rows: every kind, direction and layout has the bits of each sequence alone.
struct PackedRecurrenceTests {
    private static let batches = [
        [1], [2], [1, 1, 1], [5, 1, 3, 2, 4], [15, 16, 17, 1], [47, 48, 49, 130, 2, 64], Array(1...33),
    ]

    struct Cell: Sendable, CustomTestStringConvertible {
        let kind: String
        let gates: Int
        var more: [Attribute] = []
        var hasPeepholes = false
        var testDescription: String { "\(kind) \(more.map(\.name)) \(hasPeepholes ? "peepholes" : "")" }
    }

    static let cells = [
        Cell(kind: "RNN", gates: 1), Cell(kind: "GRU", gates: 3), Cell(kind: "LSTM", gates: 4),
        Cell(kind: "GRU", gates: 3, more: [Attribute("linear_before_reset", .int(1))]),
        Cell(kind: "LSTM", gates: 4, hasPeepholes: true),
        Cell(kind: "LSTM", gates: 4, more: [Attribute("input_forget", .int(1))], hasPeepholes: true),
        Cell(kind: "LSTM", gates: 4, more: [Attribute("clip", .float(0.4))]),
        Cell(
            kind: "RNN",
            gates: 1,
            more: [
                Attribute("activations", .strings(["Elu"])), Attribute("activation_alpha", .floats([0.5])),
            ]
        ),
    ]

    private static func random(_ dimensions: [Int], _ seed: UInt64) throws -> Tensor {
        var random = SplitMix(seed: seed)
        let shape = try Shape(checking: dimensions)
        let values = (0..<shape.elementCount).map { _ in Float.random(in: -0.6...0.6, using: &random) }
        return try Tensor(values, shape: shape)
    }

    /// `x [B, L, 5]` through a layer whose steps, last hidden and last cell states are the outputs.
    private func model(
        _ cell: Cell,
        direction: String,
        isBatchFirst: Bool,
        hasStates: Bool,
        readsSteps: Bool
    ) throws -> SequenceModel {
        let (hidden, features) = (9, 5)
        let directions = direction == "bidirectional" ? 2 : 1
        let width = cell.gates * hidden
        let stateShape = isBatchFirst ? [1, directions, hidden] : [directions, 1, hidden]
        var attributes = [
            Attribute("hidden_size", .int(Int64(hidden))), Attribute("layout", .int(isBatchFirst ? 1 : 0)),
            Attribute("direction", .string(direction)),
        ]
        attributes += cell.more.map { attribute in
            guard case .strings(let names) = attribute.value, directions == 2 else { return attribute }
            return Attribute(attribute.name, .strings(names + names))
        }
        var constants = [
            "w": try Self.random([directions, width, features], 1),
            "r": try Self.random([directions, width, hidden], 2),
            "b": try Self.random([directions, 2 * width], 3),
        ]
        var inputs = [isBatchFirst ? "x" : "steps", "w", "r", "b", "lengths", "", "", ""]
        if hasStates {
            constants["h"] = try Self.random(stateShape, 4)
            inputs[5] = "h"
            if cell.kind == "LSTM" {
                constants["c"] = try Self.random(stateShape, 5)
                inputs[6] = "c"
            }
        }
        if cell.hasPeepholes {
            constants["p"] = try Self.random([directions, 3 * hidden], 6)
            inputs[7] = "p"
        }
        while inputs.last == "" { inputs.removeLast() }
        let names = cell.kind == "LSTM" ? ["hn", "cn"] : ["hn"]
        var nodes = [
            Node(
                "Transpose",
                inputs: ["x"],
                outputs: ["steps"],
                attributes: [Attribute("perm", .ints([1, 0, 2]))]
            ),
            Node(cell.kind, inputs: inputs, outputs: [readsSteps ? "y" : ""] + names, attributes: attributes),
        ]
        if readsSteps {
            nodes.append(
                Node(
                    "Transpose",
                    inputs: ["y"],
                    outputs: ["all"],
                    attributes: [Attribute("perm", .ints(isBatchFirst ? [0, 1, 2, 3] : [2, 0, 1, 3]))]
                )
            )
        }
        for name in names {
            let order: [Int64] = isBatchFirst ? [0, 1, 2] : [1, 0, 2]
            nodes.append(
                Node(
                    "Transpose",
                    inputs: [name],
                    outputs: [name + "0"],
                    attributes: [Attribute("perm", .ints(order))]
                )
            )
        }
        let (batch, time) = (Dimension.symbol("batch"), Dimension.symbol("time"))
        let last = names.map {
            OutputSignature(name: $0 + "0", kind: .perSequence, features: [directions, hidden])
        }
        let all = OutputSignature(
            name: "all",
            kind: .perPosition(timeAxis: 1),
            features: [directions, hidden]
        )
        let outputs = (readsSteps ? [all] : []) + last
        let graph = Graph(
            name: "recurrent",
            nodes: nodes,
            initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
            inputs: [
                ValueInfo("x", elementType: .float32, dimensions: [batch, time, .fixed(features)]),
                ValueInfo("lengths", elementType: .int32, dimensions: [batch]),
            ],
            outputs: outputs.map { ValueInfo($0.name, elementType: .float32, dimensions: nil) }
        )
        let signature = Signature(
            sequence: SequenceInput(name: "x", kind: .features(layout: .channelsLast, channels: features)),
            lengths: LengthsInput(name: "lengths", elementType: .int32),
            outputs: outputs
        )
        return try SequenceModel(
            model: Model(graph: graph, opsetImports: ["": 17]),
            signature: signature,
            sites: []
        )
    }

    @Test(arguments: cells, ["forward", "reverse", "bidirectional"])
    func `a recurrent layer is packed, and gives each sequence the bits it gets alone`(
        _ cell: Cell,
        _ direction: String
    ) throws {
        for (isBatchFirst, hasStates, readsSteps) in [
            (false, false, true), (true, true, true), (false, true, false),
        ] {
            let model = try model(
                cell,
                direction: direction,
                isBatchFirst: isBatchFirst,
                hasStates: hasStates,
                readsSteps: readsSteps
            )
            let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
            let executor = try #require(try model.raggedExecutor(for: request).executor as? PackedExecutor)
            #expect(executor.plan.report.steps.allSatisfy { $0.way == .packed })
            for lengths in Self.batches {
                let rows = try Self.random([lengths.reduce(0, +), 5], 7)
                let batch = try SequenceBatch(rows: rows, lengths: lengths)
                let packed = try #require(executor.plan.run(batch))
                for (mine, theirs) in zip(packed, try executor.single.run(batch)) {
                    #expect(mine.rows == theirs.rows, "\(lengths) \(mine.name)")
                    #expect(mine.lengths == theirs.lengths)
                }
            }
        }
    }
}
