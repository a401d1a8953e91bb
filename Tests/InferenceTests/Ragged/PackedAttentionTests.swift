import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Attention over packed rows has the bits of each sequence alone, and those of the nodes it is made of.
struct PackedAttentionTests {
    private static let batches = [
        [1], [2], [1, 1, 1], [5, 1, 3, 2], [59, 60, 61, 1], [11, 12, 13, 63, 64, 65], [120, 121, 7],
        [300, 200, 30, 1, 512],
    ]
    private static let (width, heads, depth) = (12, 3, 4)

    private static func random(_ dimensions: [Int], _ seed: UInt64) throws -> Tensor {
        var random = SplitMix(seed: seed)
        let shape = try Shape(checking: dimensions)
        let values = (0..<shape.elementCount).map { _ in Float.random(in: -1...1, using: &random) }
        return try Tensor(values, shape: shape)
    }

    /// `x [B, L, 12]` plus a table of positions, through a layer as PyTorch exports one.
    private func model(scale: String, isMasked: Bool, table: Int = 600) throws -> SequenceModel {
        let (width, heads, depth) = (Self.width, Self.heads, Self.depth)
        var constants: [String: Tensor] = [
            "table": try Self.random([1, table, width], 1), "zero": try Tensor([0 as Int64], shape: [1]),
            "one": try Tensor([1 as Int64], shape: [1]), "index": Tensor(scalar: 1 as Int64),
            "split": try Tensor([0, 0, Int64(heads), Int64(depth)], shape: [4]),
            "join": try Tensor([0, 0, Int64(width)], shape: [3]), "scale": Tensor(scalar: Float(1.7)),
            "unit": Tensor(scalar: Float(1)), "low": Tensor(scalar: Float(-1e9)),
            "half": Tensor(scalar: Float(0.5)),
            "root": Tensor(scalar: Float(2).squareRoot()), "wide": try Self.random([width, 20], 5),
            "wb": try Self.random([20], 6),
        ]
        var nodes = [
            Node("Shape", inputs: ["x"], outputs: ["shape"]),
            Node("Gather", inputs: ["shape", "one"], outputs: ["length"]),
            Node("Slice", inputs: ["table", "zero", "length", "one"], outputs: ["positions"]),
            Node("Add", inputs: ["x", "positions"], outputs: ["embedded"]),
            Node("Unsqueeze", inputs: ["mask", "one"], outputs: ["mask4"]),
            Node("Sub", inputs: ["unit", "mask4"], outputs: ["shut"]),
            Node("Mul", inputs: ["shut", "low"], outputs: ["penalty"]),
        ]
        for (index, name) in ["q", "k", "v"].enumerated() {
            constants["w" + name] = try Self.random([width, width], UInt64(2 + index))
            let order: [Int64] = name == "k" ? [0, 2, 3, 1] : [0, 2, 1, 3]
            nodes += [
                Node("MatMul", inputs: ["embedded", "w" + name], outputs: [name + "0"]),
                Node("Reshape", inputs: [name + "0", "split"], outputs: [name + "1"]),
                Node(
                    "Transpose",
                    inputs: [name + "1"],
                    outputs: [name],
                    attributes: [Attribute("perm", .ints(order))]
                ),
            ]
        }
        nodes.append(Node("MatMul", inputs: ["q", "k"], outputs: ["scores"]))
        var scores = "scores"
        if !scale.isEmpty {
            nodes.append(Node(scale, inputs: [scores, "scale"], outputs: ["scaled"]))
            scores = "scaled"
        }
        if isMasked {
            nodes.append(Node("Add", inputs: [scores, "penalty"], outputs: ["masked"]))
            scores = "masked"
        }
        nodes += [
            Node(
                "Softmax",
                inputs: [scores],
                outputs: ["weights"],
                attributes: [Attribute("axis", .int(-1))]
            ),
            Node("MatMul", inputs: ["weights", "v"], outputs: ["mixed"]),
            Node(
                "Transpose",
                inputs: ["mixed"],
                outputs: ["back"],
                attributes: [Attribute("perm", .ints([0, 2, 1, 3]))]
            ),
            Node("Reshape", inputs: ["back", "join"], outputs: ["joined"]),
            Node("Add", inputs: ["embedded", "joined"], outputs: ["sum"]),
            Node("MatMul", inputs: ["sum", "wide"], outputs: ["hidden0"]),
            Node("Add", inputs: ["hidden0", "wb"], outputs: ["hidden"]),
            Node("Div", inputs: ["hidden", "root"], outputs: ["r"]),
            Node("Erf", inputs: ["r"], outputs: ["e"]),
            Node("Add", inputs: ["e", "unit"], outputs: ["p"]),
            Node("Mul", inputs: ["hidden", "p"], outputs: ["g"]),
            Node("Mul", inputs: ["g", "half"], outputs: ["all"]),
        ]
        let (batch, time) = (Dimension.symbol("batch"), Dimension.symbol("time"))
        let output = OutputSignature(name: "all", kind: .perPosition(timeAxis: 1), features: [20])
        let graph = Graph(
            name: "attention",
            nodes: nodes,
            initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
            inputs: [
                ValueInfo("x", elementType: .float32, dimensions: [batch, time, .fixed(width)]),
                ValueInfo("mask", elementType: .float32, dimensions: [batch, .fixed(1), time]),
            ],
            outputs: [ValueInfo("all", elementType: .float32, dimensions: nil)]
        )
        let signature = Signature(
            sequence: SequenceInput(name: "x", kind: .features(layout: .channelsLast, channels: width)),
            mask: MaskInput(name: "mask", rank: 3),
            outputs: [output]
        )
        return try SequenceModel(
            model: Model(graph: graph, opsetImports: ["": 17]),
            signature: signature,
            sites: []
        )
    }

    @Test(arguments: ["", "Mul", "Div"], [false, true])
    func `attention is packed from the table of positions on, and gives each sequence the bits it gets alone`(
        _ scale: String,
        _ isMasked: Bool
    ) throws {
        let model = try model(scale: scale, isMasked: isMasked)
        let executor = try #require(
            try model.raggedExecutor(for: .outputs(["all"])).executor as? PackedExecutor
        )
        for step in executor.plan.report.steps { #expect([.packed, .known].contains(step.way), "\(step)") }
        let padded = try model.paddedExecutor(for: .outputs(["all"]))
        for lengths in Self.batches {
            let batch = try SequenceBatch(
                rows: Self.random([lengths.reduce(0, +), Self.width], 7),
                lengths: lengths
            )
            let packed = try #require(executor.plan.run(batch))
            let single = try executor.single.run(batch)
            #expect(packed == single, "\(lengths)")
            guard isMasked else { continue }
            let others = try padded.run(batch)[0].rows.array(of: Float.self)
            let apart = zip(packed[0].rows.array(of: Float.self), others).map { abs($0 - $1) }.max() ?? 0
            #expect(apart < 1e-4)
        }
    }

    @Test func `a sequence longer than the table of positions fails as it does in the model`() throws {
        let model = try model(scale: "Mul", isMasked: true, table: 20)
        let executor = try #require(
            try model.raggedExecutor(for: .outputs(["all"])).executor as? PackedExecutor
        )
        for lengths in [[20, 3], [1, 20]] {
            let batch = try SequenceBatch(
                rows: Self.random([lengths.reduce(0, +), Self.width], 7),
                lengths: lengths
            )
            #expect(try executor.run(batch) == executor.single.run(batch))
        }
        for lengths in [[21], [3, 21], [1, 25, 20]] {
            let batch = try SequenceBatch(
                rows: Self.random([lengths.reduce(0, +), Self.width], 7),
                lengths: lengths
            )
            #expect(executor.plan.run(batch) == nil)
            #expect(throws: ExecutionError.self) { try executor.run(batch) }
        }
    }

    @Test(arguments: [[2, 3], [2], []])
    func `attention as one node has the bits of the nodes it is made of`(_ lead: [Int]) throws {
        for scale in ["", "Mul", "Div"] {
            var nodes = [Node("MatMul", inputs: ["q", "k"], outputs: ["s"])]
            if !scale.isEmpty { nodes.append(Node(scale, inputs: ["s", "c"], outputs: ["t"])) }
            nodes += [
                Node(
                    "Softmax",
                    inputs: [scale.isEmpty ? "s" : "t"],
                    outputs: ["p"],
                    attributes: [Attribute("axis", .int(-1))]
                ),
                Node("MatMul", inputs: ["p", "v"], outputs: ["y"]),
            ]
            let graph = Graph(
                name: "g",
                nodes: nodes,
                initializers: [Initializer("c", Tensor(scalar: Float(0.3)))],
                inputs: ["q", "k", "v"].map { ValueInfo($0, elementType: .float32, dimensions: nil) },
                outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
            )
            let model = Model(graph: graph, opsetImports: ["": 17])
            let fused = try ExecutionPlan(model)
            let plain = try ExecutionPlan(model, rewriting: false)
            for (queries, keys) in [(1, 1), (2, 1), (1, 7), (12, 13), (60, 64), (61, 65), (130, 129)] {
                let inputs = [
                    "q": try Self.random(lead + [queries, 5], 1), "k": try Self.random(lead + [5, keys], 2),
                    "v": try Self.random(lead + [keys, 6], 3),
                ]
                #expect(try fused.run(inputs) == plain.run(inputs), "\(scale) \(queries) \(keys)")
            }
            // Shapes that are broadcast have no faster form, and the same answer.
            let inputs = [
                "q": try Self.random([3, 4, 5], 1), "k": try Self.random([5, 7], 2),
                "v": try Self.random([1, 7, 6], 3),
            ]
            #expect(try fused.run(inputs) == plain.run(inputs))
        }
    }

    @Test(arguments: [[2, 3], [2], []])
    func `masks and biases as part of one node have the bits of the nodes they are`(_ lead: [Int]) throws {
        let ways: [[(operator: String, operands: [String])]] = [
            [("Add", ["t", "bias"])], [("Add", ["bias", "t"])], [("Where", ["mask", "low", "t"])],
            [("Where", ["mask", "t", "low"])], [("Where", ["mask", "never", "t"])],
            [("Add", ["t", "bias"]), ("Where", ["mask", "never", "t"])],
            [("Where", ["mask", "t", "low"]), ("Add", ["t", "bias"]), ("Add", ["row", "t"])],
        ]
        for (way, isCleaned) in ways.flatMap({ [($0, false), ($0, true)] }) {
            var nodes = [
                Node("MatMul", inputs: ["q", "k"], outputs: ["s"]),
                Node("Div", inputs: ["s", "c"], outputs: ["t0"]),
            ]
            for (index, step) in way.enumerated() {
                let operands = step.operands.map { $0 == "t" ? "t\(index)" : $0 }
                nodes.append(Node(step.operator, inputs: operands, outputs: ["t\(index + 1)"]))
            }
            nodes.append(
                Node(
                    "Softmax",
                    inputs: ["t\(way.count)"],
                    outputs: ["p"],
                    attributes: [Attribute("axis", .int(-1))]
                )
            )
            if isCleaned {
                nodes += [
                    Node("IsNaN", inputs: ["p"], outputs: ["n"]),
                    Node("Where", inputs: ["n", "zero", "p"], outputs: ["p0"]),
                ]
            }
            nodes.append(Node("MatMul", inputs: [isCleaned ? "p0" : "p", "v"], outputs: ["y"]))
            let constants: [String: Float] = ["c": 0.3, "low": -1e4, "never": -.infinity, "zero": 0]
            let graph = Graph(
                name: "g",
                nodes: nodes,
                initializers: constants.sorted { $0.key < $1.key }.map {
                    Initializer($0.key, Tensor(scalar: $0.value))
                },
                inputs: ["q", "k", "v", "bias", "row", "mask"].map {
                    ValueInfo($0, elementType: $0 == "mask" ? .bool : .float32, dimensions: nil)
                },
                outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
            )
            let model = Model(graph: graph, opsetImports: ["": 17])
            let fused = try ExecutionPlan(model)
            let plain = try ExecutionPlan(model, rewriting: false)
            for (queries, keys) in [(1, 1), (2, 1), (1, 7), (12, 13), (61, 65)] {
                for maskShape in [[queries, keys], [keys], [queries, 1], [1], lead + [queries, keys]] {
                    var random = SplitMix(seed: 9)
                    let shape = try Shape(checking: maskShape)
                    // The last row of some is all true: no key is left.
                    let flags = (0..<shape.elementCount).map { index in
                        index >= shape.elementCount - keys || Bool.random(using: &random)
                    }
                    let inputs = [
                        "q": try Self.random(lead + [queries, 5], 1),
                        "k": try Self.random(lead + [5, keys], 2),
                        "v": try Self.random(lead + [keys, 6], 3),
                        "bias": try Self.random(lead + [queries, keys], 4), "row": try Self.random([keys], 5),
                        "mask": try Tensor(flags, shape: shape),
                    ]
                    let answers = try [fused, plain].map {
                        try $0.run(inputs)[0].array(of: Float.self).map(\.bitPattern)
                    }
                    #expect(answers[0] == answers[1], "\(way) \(queries) \(keys) \(maskShape)")
                }
            }
        }
    }

    /// What the operator of ONNX's own is given beside queries, keys and values.
    enum Mask: CaseIterable { case none, window, distances }

    @Test(arguments: Mask.allCases, [(3, 3), (4, 2), (3, 1)])
    func `the operator Attention is packed with masks that differ from query to query`(
        _ mask: Mask,
        _ heads: (queries: Int, keys: Int)
    ) throws {
        let (queries, keys) = heads
        for isCausal in [false, true] {
            var nodes = [
                Node("Shape", inputs: ["x"], outputs: ["shape"]),
                Node("Gather", inputs: ["shape", "one"], outputs: ["length"]),
                Node("Range", inputs: ["zero", "length", "one"], outputs: ["places"]),
                Node("Unsqueeze", inputs: ["places", "last"], outputs: ["column"]),
                Node("Sub", inputs: ["places", "column"], outputs: ["apart"]),
            ]
            switch mask {
            case .none: break
            case .window: nodes.append(Node("Less", inputs: ["apart", "two"], outputs: ["mask"]))
            case .distances:
                nodes += [
                    Node("Cast", inputs: ["apart"], outputs: ["far"], attributes: [Attribute("to", .int(1))]),
                    Node("Mul", inputs: ["far", "slopes"], outputs: ["mask"]),
                ]
            }
            var constants: [String: Tensor] = [
                "zero": Tensor(scalar: 0 as Int64), "one": Tensor(scalar: 1 as Int64),
                "two": Tensor(scalar: 2 as Int64), "last": try Tensor([1 as Int64], shape: [1]),
                "slopes": try Self.random([queries, 1, 1], 8),
            ]
            for (index, (name, count)) in [("q", queries), ("k", keys), ("v", keys)].enumerated() {
                constants["w" + name] = try Self.random([Self.width, count * 5], UInt64(index))
                nodes.append(Node("MatMul", inputs: ["x", "w" + name], outputs: [name]))
            }
            nodes.append(
                Node(
                    "Attention",
                    inputs: ["q", "k", "v"] + (mask == .none ? [] : ["mask"]),
                    outputs: ["y"],
                    attributes: [
                        Attribute("q_num_heads", .int(Int64(queries))),
                        Attribute("kv_num_heads", .int(Int64(keys))),
                        Attribute("is_causal", .int(isCausal ? 1 : 0)),
                    ]
                )
            )
            let (batch, time) = (Dimension.symbol("batch"), Dimension.symbol("time"))
            let graph = Graph(
                name: "g",
                nodes: nodes,
                initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
                inputs: [
                    ValueInfo("x", elementType: .float32, dimensions: [batch, time, .fixed(Self.width)])
                ],
                outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
            )
            let model = try SequenceModel(
                model: Model(graph: graph, opsetImports: ["": 23]),
                signature: Signature(
                    sequence: SequenceInput(
                        name: "x",
                        kind: .features(layout: .channelsLast, channels: Self.width)
                    ),
                    outputs: [
                        OutputSignature(
                            name: "y",
                            kind: .perPosition(timeAxis: 1),
                            features: [queries * 5]
                        )
                    ]
                ),
                sites: []
            )
            let executor = try #require(
                try model.raggedExecutor(for: .outputs(["y"])).executor as? PackedExecutor
            )
            #expect(executor.plan.report.steps.last?.way == .packed)
            for lengths in Self.batches {
                let rows = try Self.random([lengths.reduce(0, +), Self.width], 7)
                let batch = try SequenceBatch(rows: rows, lengths: lengths)
                #expect(try executor.plan.run(batch) == executor.single.run(batch), "\(mask) \(lengths)")
            }
        }
    }

    @Test(arguments: ExportRecord.files.filter { ["causal", "relative"].contains($0.model) })
    func `of an exported transformer only what there is for every two positions runs sequence by sequence`(
        _ export: ExportRecord.Export
    ) throws {
        let model = try SequenceModel(model: Model(contentsOf: #require(export.url)))
        let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
        let executor = try #require(try model.raggedExecutor(for: request).executor as? PackedExecutor)
        for step in executor.plan.report.steps where ![.packed, .known].contains(step.way) {
            #expect(step.result?.contains("L, L") ?? false, "\(step)")
        }
        for lengths in [[1], [2, 1], [5, 17, 23, 6, 1], [40, 3], [61, 13, 12, 11]] {
            var random = SplitMix(seed: 5)
            let count = lengths.reduce(0, +)
            let tokens = (0..<count).map { _ in Int64.random(in: 0..<12, using: &random) }
            let batch = try SequenceBatch(rows: Tensor(tokens, shape: [count]), lengths: lengths)
            let packed = try #require(executor.plan.run(batch))
            #expect(try executor.single.run(batch) == packed, "\(lengths)")
        }
    }
}
