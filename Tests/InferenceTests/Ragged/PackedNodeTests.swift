import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Packed rules of single operators over all small shapes: the bits of each sequence alone, and really packed.
struct PackedNodeTests {
    private static let batches = [[1], [2], [5, 1, 3, 2, 4, 7], [6, 6], [9, 30, 1]]

    /// A model of some nodes from `x` to `y`, both with channels first or both last.
    struct Form {
        var channels = 3
        var isFirst = true
        var opset = 24
        var nodes: [Node]
        var constants: [String: Tensor] = [:]
        var output = OutputSignature.Kind.perPosition(timeAxis: 2)
        var types: ElementType = .float32

        func model() throws -> SequenceModel {
            let (batch, time) = (Dimension.symbol("batch"), Dimension.symbol("time"))
            let dimensions = isFirst ? [batch, .fixed(channels), time] : [batch, time, .fixed(channels)]
            let graph = Graph(
                name: "g",
                nodes: nodes,
                initializers: constants.sorted { $0.key < $1.key }.map { Initializer($0.key, $0.value) },
                inputs: [
                    ValueInfo("x", elementType: .float32, dimensions: dimensions),
                    ValueInfo("mask", elementType: .float32, dimensions: [batch, .fixed(1), time]),
                ],
                outputs: [ValueInfo("y", elementType: types, dimensions: nil)]
            )
            let layout: SequenceInput.Layout = isFirst ? .channelsFirst : .channelsLast
            let signature = Signature(
                sequence: SequenceInput(name: "x", kind: .features(layout: layout, channels: channels)),
                mask: MaskInput(name: "mask", rank: 3),
                outputs: [OutputSignature(name: "y", kind: output, features: [])]
            )
            return try SequenceModel(
                model: Model(graph: graph, opsetImports: ["": opset, "com.microsoft": 1]),
                signature: signature,
                sites: []
            )
        }
    }

    /// Every batch has the bits of its sequences alone, or fails as they do.
    private func check(_ form: Form, _ place: String, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let model = try form.model()
        let executor = try #require(
            try model.raggedExecutor(for: .outputs(["y"])).executor as? PackedExecutor,
            "\(place)",
            sourceLocation: sourceLocation
        )
        for step in executor.plan.report.steps {
            #expect(
                [.packed, .known].contains(step.way),
                "\(place): \(step)",
                sourceLocation: sourceLocation
            )
        }
        var random = SplitMix(seed: 3)
        for lengths in Self.batches {
            let count = lengths.reduce(0, +) * form.channels
            var values = (0..<count).map { _ in Float.random(in: -2...2, using: &random) }
            if lengths.count > 1 { values[count / 2] = .nan }
            let batch = try SequenceBatch(
                rows: Tensor(values, shape: Shape(checking: [lengths.reduce(0, +), form.channels])),
                lengths: lengths
            )
            guard let packed = executor.plan.run(batch) else {
                // A plan leaves batches alone in which a sequence has no positions left somewhere.
                let isRefused = (lengths.min() ?? 0) < 5 || (try? executor.single.run(batch)) == nil
                #expect(isRefused, "\(place) \(lengths)", sourceLocation: sourceLocation)
                continue
            }
            let single = try executor.single.run(batch)
            #expect(packed[0].lengths == single[0].lengths, "\(place)", sourceLocation: sourceLocation)
            let same =
                packed[0].rows.shape == single[0].rows.shape
                && packed[0].rows.withBytes { a in single[0].rows.withBytes { a.elementsEqual($0) } }
            #expect(same, "\(place) \(lengths)", sourceLocation: sourceLocation)
        }
    }

    private static func node(_ type: String, _ inputs: [String], _ attributes: [String: Attribute.Value])
        -> Node
    {
        Node(
            type,
            inputs: inputs,
            outputs: ["y"],
            attributes: attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
        )
    }

    // MARK: Windows

    private static let paddings: [[Int64]] = [[0, 0], [1, 0], [0, 2], [2, 1], [3, 3]]

    @Test(arguments: ["MaxPool", "AveragePool", "LpPool"], 1...4)
    func `windows of any form`(_ type: String, _ kernel: Int) throws {
        for stride in 1...3 as ClosedRange<Int64> {
            for dilation in 1...2 as ClosedRange<Int64> {
                for pads in Self.paddings {
                    for variant in 0..<4 as Range<Int64> {
                        var attributes: [String: Attribute.Value] = [
                            "kernel_shape": .ints([Int64(kernel)]), "strides": .ints([stride]),
                            "dilations": .ints([dilation]), "pads": .ints(pads),
                            "ceil_mode": .int(variant % 2),
                        ]
                        switch type {
                        case "AveragePool": attributes["count_include_pad"] = .int(variant / 2)
                        case "LpPool": attributes["p"] = .int(1 + variant / 2)
                        default: if variant > 1 { continue }
                        }
                        let nodes = [Self.node(type, ["x"], attributes)]
                        try check(
                            Form(nodes: nodes),
                            "\(type) \(kernel) \(stride) \(dilation) \(pads) \(variant)"
                        )
                    }
                }
            }
        }
    }

    @Test(arguments: ["SAME_UPPER", "SAME_LOWER", "VALID"], 1...3)
    func `windows whose padding depends on the length`(_ padding: String, _ stride: Int) throws {
        for type in ["MaxPool", "AveragePool"] {
            let attributes: [String: Attribute.Value] = [
                "kernel_shape": .ints([3]), "strides": .ints([Int64(stride)]), "auto_pad": .string(padding),
            ]
            try check(Form(nodes: [Self.node(type, ["x"], attributes)]), "\(type) \(padding)")
        }
    }

    @Test func `the places of largest elements are those in the sequence alone`() throws {
        let pool = Node(
            "MaxPool",
            inputs: ["x"],
            outputs: ["largest", "y"],
            attributes: [
                Attribute("kernel_shape", .ints([3])), Attribute("strides", .ints([2])),
                Attribute("pads", .ints([1, 1])),
            ]
        )
        try check(Form(nodes: [pool], types: .int64), "indices")
    }

    @Test func `windows over two axes, one of length 1, and over values with no time`() throws {
        let axes = try Tensor([2 as Int64], shape: [1])
        let flat: [String: Attribute.Value] = [
            "kernel_shape": .ints([1, 3]), "strides": .ints([1, 2]), "pads": .ints([0, 1, 0, 1]),
        ]
        let nodes = [
            Node("Unsqueeze", inputs: ["x", "axes"], outputs: ["wide"]),
            Node(
                "MaxPool",
                inputs: ["wide"],
                outputs: ["pooled"],
                attributes: flat.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
            ),
            Node("Squeeze", inputs: ["pooled", "axes"], outputs: ["y"]),
        ]
        try check(Form(nodes: nodes, constants: ["axes": axes]), "two axes")
        let after = [
            Node("GlobalAveragePool", inputs: ["x"], outputs: ["mean"]),
            Node(
                "Transpose",
                inputs: ["mean"],
                outputs: ["back"],
                attributes: [Attribute("perm", .ints([0, 2, 1]))]
            ),
            Node(
                "AveragePool",
                inputs: ["back"],
                outputs: ["pooled"],
                attributes: [Attribute("kernel_shape", .ints([2]))]
            ),
            Node("Squeeze", inputs: ["pooled", "one"], outputs: ["y"]),
        ]
        let one = try Tensor([1 as Int64], shape: [1])
        try check(Form(nodes: after, constants: ["one": one], output: .perSequence), "no time")
    }

    // MARK: Normalization

    @Test(arguments: [1, 2, 4, 6])
    func `channels normalized over the positions of their own sequence`(_ channels: Int) throws {
        var random = SplitMix(seed: 8)
        let constants = [
            "s": try Tensor.random([channels], &random), "b": try Tensor.random([channels], &random),
        ]
        let instance = Self.node("InstanceNormalization", ["x", "s", "b"], [:])
        try check(Form(channels: channels, nodes: [instance], constants: constants), "instance")
        for groups in 1...channels where channels % groups == 0 {
            let node = Self.node(
                "GroupNormalization",
                ["x", "s", "b"],
                ["num_groups": .int(Int64(groups)), "epsilon": .float(0.01)]
            )
            try check(Form(channels: channels, nodes: [node], constants: constants), "\(groups) groups")
        }
    }

    // MARK: Positions added, joined, reversed, summed

    @Test(arguments: ["constant", "edge", "reflect", "wrap"], [true, false])
    func `positions put before and behind`(_ mode: String, _ isFirst: Bool) throws {
        let fill = Tensor(scalar: Float(7.5))
        for begin in -2...3 as ClosedRange<Int64> {
            for end in -2...3 as ClosedRange<Int64> {
                for others in [[0, 0], [1, 2]] as [[Int64]] {
                    let pads =
                        isFirst
                        ? [0, others[0], begin, 0, others[1], end] : [0, begin, others[0], 0, end, others[1]]
                    let inputs = mode == "constant" && begin > 0 ? ["x", "pads", "fill"] : ["x", "pads"]
                    let form = Form(
                        isFirst: isFirst,
                        nodes: [Self.node("Pad", inputs, ["mode": .string(mode)])],
                        constants: ["pads": try Tensor(pads, shape: [6]), "fill": fill],
                        output: .perPosition(timeAxis: isFirst ? 2 : 1)
                    )
                    try check(form, "\(mode) \(pads)")
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `positions of several values of a sequence one after the other`(_ isFirst: Bool) throws {
        var random = SplitMix(seed: 9)
        let time: Int64 = isFirst ? 2 : 1
        let token = try Tensor.random(isFirst ? [1, 3, 2] : [1, 2, 3], &random)
        let constants = [
            "token": token, "axis": try Tensor([time], shape: [1]),
            "first": try Tensor([1 as Int64], shape: [1]),
            "last": try Tensor([Int64.max], shape: [1]), "zero": try Tensor([0 as Int64], shape: [1]),
            "index": try Tensor([0, -1] as [Int64], shape: [2]),
        ]
        let parts = [
            Node("Relu", inputs: ["x"], outputs: ["relu"]),
            Node("Slice", inputs: ["x", "first", "last", "axis"], outputs: ["part"]),
            Node("ReduceMean", inputs: ["x", "axis"], outputs: ["mean"]),
            Node(
                "Concat",
                inputs: ["mean", "mean"],
                outputs: ["means"],
                attributes: [Attribute("axis", .int(time))]
            ),
        ]
        for inputs in [
            ["x", "relu"], ["token", "x"], ["x", "token"], ["token", "x", "relu", "token"], ["x", "part"],
            ["mean", "x"], ["means", "relu", "mean"], ["part", "token", "x", "part"],
        ] {
            let form = Form(
                isFirst: isFirst,
                nodes: parts + [Self.node("Concat", inputs, ["axis": .int(time)])],
                constants: constants,
                output: .perPosition(timeAxis: Int(time))
            )
            try check(form, "\(inputs)")
        }
    }

    @Test(arguments: ["CumSum", "CumProd"], [0, 1, 2, 3])
    func `elements combined with those before`(_ type: String, _ flags: Int64) throws {
        for axis in [1, 2, -1] as [Int64] {
            for isFirst in [true, false] {
                let attributes: [String: Attribute.Value] = [
                    "exclusive": .int(flags % 2), "reverse": .int(flags / 2),
                ]
                let form = Form(
                    isFirst: isFirst,
                    opset: 26,
                    nodes: [Self.node(type, ["x", "axis"], attributes)],
                    constants: ["axis": Tensor(scalar: axis)],
                    output: .perPosition(timeAxis: isFirst ? 2 : 1)
                )
                try check(form, "\(type) \(flags) \(axis)")
            }
        }
    }

    @Test func `sequences reversed from their own ends`() throws {
        let nodes = [
            Node("Shape", inputs: ["x"], outputs: ["shape"]),
            Node("Gather", inputs: ["shape", "one"], outputs: ["length"]),
            Node(
                "ReverseSequence",
                inputs: ["x", "length"],
                outputs: ["y"],
                attributes: [Attribute("batch_axis", .int(0)), Attribute("time_axis", .int(1))]
            ),
        ]
        let form = Form(
            isFirst: false,
            nodes: nodes,
            constants: ["one": try Tensor([1 as Int64], shape: [1])],
            output: .perPosition(timeAxis: 1)
        )
        try check(form, "reversed")
    }

    // MARK: Attention

    enum Mask: CaseIterable { case none, known, perKey }

    @Test(arguments: Mask.allCases, [false, true])
    func `attention of ONNX`(_ mask: Mask, _ isSplit: Bool) throws {
        var random = SplitMix(seed: 10)
        let variants: [[String: Attribute.Value]] = [
            [:], ["is_causal": .int(1)], ["scale": .float(0.3), "softcap": .float(2)],
            ["softmax_precision": .int(11)], ["left_window_size": .int(1), "right_window_size": .int(2)],
        ]
        for (queryHeads, keyHeads) in [(1, 1), (2, 2), (4, 2)] {
            for variant in variants {
                var constants = [
                    "wk": try Tensor.random([4 * queryHeads, 4 * keyHeads], &random),
                    "wv": try Tensor.random([4 * queryHeads, 3 * keyHeads], &random),
                    "last": try Tensor([2 as Int64], shape: [1]), "false": Tensor(scalar: Float(0.5)),
                ]
                var nodes = [
                    Node("MatMul", inputs: ["x", "wk"], outputs: ["k3"]),
                    Node("MatMul", inputs: ["x", "wv"], outputs: ["v3"]),
                    Node("Greater", inputs: ["mask", "false"], outputs: ["known"]),
                    Node("ReduceMax", inputs: ["x", "last"], outputs: ["score"]),
                    Node(
                        "Transpose",
                        inputs: ["score"],
                        outputs: ["perKey"],
                        attributes: [Attribute("perm", .ints([0, 2, 1]))]
                    ),
                ]
                var attributes = variant
                var names = ["x", "k3", "v3"]
                if isSplit {
                    for (name, (heads, width)) in zip(
                        names,
                        [(queryHeads, 4), (keyHeads, 4), (keyHeads, 3)]
                    ) {
                        constants["shape" + name] = try Tensor(
                            [0, 0, Int64(heads), Int64(width)],
                            shape: [4]
                        )
                        nodes += [
                            Node("Reshape", inputs: [name, "shape" + name], outputs: [name + "r"]),
                            Node(
                                "Transpose",
                                inputs: [name + "r"],
                                outputs: [name + "t"],
                                attributes: [Attribute("perm", .ints([0, 2, 1, 3]))]
                            ),
                        ]
                    }
                    names = names.map { $0 + "t" }
                } else {
                    attributes["q_num_heads"] = .int(Int64(queryHeads))
                    attributes["kv_num_heads"] = .int(Int64(keyHeads))
                }
                switch mask {
                case .none: break
                case .known: names.append("known")
                case .perKey: names.append("perKey")
                }
                var last = Self.node("Attention", names, attributes)
                if isSplit {
                    last.outputs = ["a"]
                    constants["join"] = try Tensor([0, 0, Int64(3 * queryHeads)], shape: [3])
                    nodes += [
                        last,
                        Node(
                            "Transpose",
                            inputs: ["a"],
                            outputs: ["b"],
                            attributes: [Attribute("perm", .ints([0, 2, 1, 3]))]
                        ),
                        Node("Reshape", inputs: ["b", "join"], outputs: ["y"]),
                    ]
                } else {
                    nodes.append(last)
                }
                let form = Form(
                    channels: 4 * queryHeads,
                    isFirst: false,
                    opset: 25,
                    nodes: nodes,
                    constants: constants,
                    output: .perPosition(timeAxis: 1)
                )
                try check(form, "\(queryHeads) \(keyHeads) \(variant)")
            }
        }
    }

    // MARK: Rotated positions, masks of fused operators, loops

    private static let heads: [String: Tensor] = {
        var random = SplitMix(seed: 11)
        let constants: [String: Tensor?] = [
            "cos": try? Tensor.random([40, 3], &random), "sin": try? Tensor.random([40, 3], &random),
            "start": try? Tensor([0 as Int64], shape: [1]),
            "split": try? Tensor([0, 0, 2, 6] as [Int64], shape: [4]),
            "join": try? Tensor([0, 0, 12] as [Int64], shape: [3]),
            "one": try? Tensor([1 as Int64], shape: [1]),
            "w": try? Tensor.random([12, 36], &random), "trips": Tensor(scalar: Int64(3)),
            "m": try? Tensor.random([12, 12], &random),
        ]
        return constants.compactMapValues(\.self)
    }()

    private func form(_ nodes: [Node]) -> Form {
        Form(
            channels: 12,
            isFirst: false,
            nodes: nodes,
            constants: Self.heads,
            output: .perPosition(timeAxis: 1)
        )
    }

    @Test(arguments: [false, true])
    func `rows turned by their positions`(_ isSplit: Bool) throws {
        func rotation(_ input: String, _ output: String, _ more: [Attribute]) -> Node {
            Node(
                "RotaryEmbedding",
                domain: "com.microsoft",
                inputs: [input, "start", "cos", "sin"],
                outputs: [output],
                attributes: more
            )
        }
        guard isSplit else {
            for isInterleaved in [0, 1] as [Int64] {
                let more = [Attribute("interleaved", .int(isInterleaved))]
                try check(form([rotation("x", "y", more)]), "rotary")
            }
            return
        }
        let order = [Attribute("perm", .ints([0, 2, 1, 3]))]
        let nodes = [
            Node("Reshape", inputs: ["x", "split"], outputs: ["a"]),
            Node("Transpose", inputs: ["a"], outputs: ["b"], attributes: order), rotation("b", "c", []),
            Node("Transpose", inputs: ["c"], outputs: ["d"], attributes: order),
            Node("Reshape", inputs: ["d", "join"], outputs: ["y"]),
        ]
        try check(form(nodes), "rotary by heads")
    }

    @Test(arguments: [0, 1] as [Int64], [false, true])
    func `attention of onnxruntime with all keys known to count`(_ isRotated: Int64, _ isMasked: Bool) throws
    {
        let nodes = [
            Node("Squeeze", inputs: ["mask", "one"], outputs: ["flat"]),
            Node("Cast", inputs: ["flat"], outputs: ["ones"], attributes: [Attribute("to", .int(6))]),
            Node(
                "Attention",
                domain: "com.microsoft",
                inputs: isMasked ? ["x", "w", "", "ones"] : ["x", "w"],
                outputs: ["y"],
                attributes: [Attribute("num_heads", .int(2)), Attribute("do_rotary", .int(isRotated))]
            ),
        ]
        try check(form(nodes), "fused")
    }

    @Test(arguments: ["keys", "queries", "sequence", "constant", "heads"], [false, true])
    func `attention with something added to its scores`(_ bias: String, _ isScaled: Bool) throws {
        // A scale and a constant become one affine node before.
        let isScaled = isScaled && bias != "constant"
        func transpose(_ input: String, _ output: String, _ order: [Int64]) -> Node {
            Node(
                "Transpose",
                inputs: [input],
                outputs: [output],
                attributes: [Attribute("perm", .ints(order))]
            )
        }
        var nodes = [
            Node("Reshape", inputs: ["x", "split"], outputs: ["x4"]), transpose("x4", "q", [0, 2, 1, 3]),
            transpose("x4", "k", [0, 2, 3, 1]), Node("Tanh", inputs: ["q"], outputs: ["v"]),
            Node("ReduceMax", inputs: ["x", "two"], outputs: ["queries"]),
            transpose("queries", "keys", [0, 2, 1]),
            Node("ReduceMean", inputs: ["queries", "one"], outputs: ["sequence"]),
            Node("MatMul", inputs: ["x", "narrow"], outputs: ["pair"]),
            transpose("pair", "pairs", [0, 2, 1]),
            Node("Unsqueeze", inputs: ["pairs", "two"], outputs: ["heads"]),
            Node("MatMul", inputs: ["q", "k"], outputs: ["products"]),
        ]
        if isScaled { nodes.append(Node("Div", inputs: ["products", "root"], outputs: ["scores"])) }
        let scores = isScaled ? "scores" : "products"
        nodes += [
            Node("Add", inputs: isScaled ? [bias, scores] : [scores, bias], outputs: ["sums"]),
            Node("Softmax", inputs: ["sums"], outputs: ["weights"]),
            Node("MatMul", inputs: ["weights", "v"], outputs: ["mixed"]),
            transpose("mixed", "back", [0, 2, 1, 3]),
            Node("Reshape", inputs: ["back", "join"], outputs: ["y"]),
        ]
        var random = SplitMix(seed: 12)
        var form = form(nodes)
        form.constants["two"] = try Tensor([2 as Int64], shape: [1])
        form.constants["narrow"] = try Tensor.random([12, 2], &random)
        form.constants["constant"] = try Tensor.random([1, 2, 1, 1], &random)
        form.constants["root"] = Tensor(scalar: Float(2.5))
        try check(form, bias)
        let plan = try form.model().planReport(for: .outputs([]))
        #expect(plan.steps.contains { $0.operatorType == "Softmax" } == false)
    }

    @Test func `what stands behind a loop is packed`() throws {
        let body = Graph(
            name: "body",
            nodes: [
                Node("MatMul", inputs: ["h", "m"], outputs: ["product"]),
                Node("Tanh", inputs: ["product"], outputs: ["next"]),
                Node("Identity", inputs: ["goes"], outputs: ["stays"]),
            ],
            inputs: [
                ValueInfo("i", elementType: .int64, dimensions: nil),
                ValueInfo("goes", elementType: .bool, dimensions: nil),
                ValueInfo("h", elementType: .float32, dimensions: nil),
            ],
            outputs: ["stays", "next"].map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        let nodes = [
            Node("Relu", inputs: ["x"], outputs: ["r"]),
            Node(
                "Loop",
                inputs: ["trips", "", "r"],
                outputs: ["l"],
                attributes: [Attribute("body", .graph(body))]
            ),
            Node("MatMul", inputs: ["l", "w"], outputs: ["y"]),
        ]
        let model = try form(nodes).model()
        let executor = try #require(
            try model.raggedExecutor(for: .outputs(["y"])).executor as? PackedExecutor
        )
        let ways = executor.plan.report.steps.map { ($0.operatorType, $0.way == .packed) }
        #expect(ways.map(\.0) == ["Relu", "Loop", "MatMul"])
        #expect(ways.map(\.1) == [true, false, true])
        var random = SplitMix(seed: 3)
        for lengths in Self.batches {
            let rows = try Tensor.random([lengths.reduce(0, +), 12], &random)
            let batch = try SequenceBatch(rows: rows, lengths: lengths)
            #expect(try executor.plan.run(batch) == executor.single.run(batch))
        }
    }
}
