import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// onnxruntime's fused operators, and functions, against onnxruntime; the fixture's folder says how they are made.
struct FusedOperatorTests {
    private static let tolerance = Tolerance.close(
        absolute: 2e-5,
        relative: 2e-5,
        because: "onnxruntime sums in another order and in float32"
    )

    private static let cases: [String: [String: Tensor]] = {
        let tensors = (try? SafeTensors.read(Fixtures.file("fused/cases.safetensors"))) ?? [:]
        var cases: [String: [String: Tensor]] = [:]
        for (key, tensor) in tensors {
            let parts = key.split(separator: "/").map(String.init)
            cases[parts[0], default: [:]][parts[1]] = tensor
        }
        return cases
    }()

    static let names = cases.keys.sorted()

    @Test func `there are cases`() { #expect(Self.names.count >= 49) }

    private static func model(_ name: String) throws -> Model {
        let bytes = try #require(cases[name]?["model"]).array(of: UInt8.self)
        return try Model(serialized: Data(bytes))
    }

    @Test(arguments: names, [true, false])
    func `a fused node gives what onnxruntime says`(_ name: String, _ rewriting: Bool) throws {
        let tensors = try #require(Self.cases[name])
        let model = try Self.model(name)
        try model.validate()
        let plan = try ExecutionPlan(model, rewriting: rewriting)
        var inputs: [String: Tensor] = [:]
        for (index, input) in plan.inputNames.enumerated() { inputs[input] = tensors["input.\(index)"] }
        for (index, output) in try plan.run(inputs).enumerated() {
            let expected = try #require(tensors["output.\(index)"])
            #expect(Self.tolerance.firstDifference(output, expected) == nil, "output \(index)")
        }
    }

    @Test(arguments: names)
    func `flipped bytes of a fused node give typed errors or answers`(_ name: String) throws {
        let tensors = try #require(Self.cases[name])
        let original = try #require(tensors["model"]).array(of: UInt8.self)
        var random = SplitMix(seed: 17)
        for _ in 0..<40 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255,
                    using: &random
                )
            }
            do {
                let model = try Model(serialized: Data(bytes))
                try model.validate()
                let plan = try ExecutionPlan(model)
                var inputs: [String: Tensor] = [:]
                for (index, input) in plan.inputNames.enumerated() {
                    inputs[input] = tensors["input.\(index)"]
                }
                _ = try plan.run(inputs)
            } catch {
                #expect(error is ModelError || error is PlanError || error is ExecutionError)
            }
        }
    }

    @Test func `an error inside names the fused node`() throws {
        let plan = try ExecutionPlan(Self.model("bias_gelu"))
        #expect {
            try plan.run(["x": Tensor(repeating: Float(0), shape: [2, 5, 8]), "y": Tensor(scalar: Float(0))])
        } throws: { error in
            error as? ExecutionError == .unknownInput("y")
        }
        var model = try Self.model("fast_gelu_bias")
        model.graph.initializers = [Initializer("b", Tensor(repeating: Float(0), shape: [7]))]
        let broken = try ExecutionPlan(model)
        #expect {
            try broken.run(["x": Tensor(repeating: Float(0), shape: [2, 5, 8])])
        } throws: { error in
            guard case .node(let path, _, .shape)? = error as? ExecutionError else { return false }
            return path.description.hasPrefix("fused/")
        }
    }

    @Test func `attributes that nobody reads, and inputs that nobody knows, are load errors`() throws {
        func plan(_ type: String, inputs: [String], _ attributes: [Attribute] = []) throws {
            let node = Node(
                type,
                name: "node",
                domain: "com.microsoft",
                inputs: inputs,
                outputs: ["y"],
                attributes: attributes
            )
            let names = Set(inputs).subtracting([""]).sorted()
            let graph = Graph(
                name: "one",
                nodes: [node],
                inputs: names.map { ValueInfo($0, elementType: .float32, dimensions: nil) },
                outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
            )
            _ = try ExecutionPlan(Model(graph: graph, opsetImports: ["": 17, "com.microsoft": 1]))
        }
        func expectError(
            _ reason: OperatorError,
            _ type: String,
            _ inputs: [String],
            _ attributes: [Attribute] = []
        ) {
            #expect {
                try plan(type, inputs: inputs, attributes)
            } throws: { error in
                guard case .invalidNode(let path, type, reason)? = error as? PlanError else { return false }
                return path.description == "node"
            }
        }
        let strange = Attribute("strange", .int(1))
        let given = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
        for (type, count) in [
            ("BiasGelu", 2), ("FastGelu", 2), ("FusedConv", 4), ("FusedGemm", 3), ("FusedMatMul", 2),
            ("Gelu", 1),
            ("QuickGelu", 1), ("SkipLayerNormalization", 5), ("SkipSimplifiedLayerNormalization", 4),
            ("EmbedLayerNormalization", 9),
        ] {
            try plan(type, inputs: Array(given.prefix(count)))
            expectError(.unknownAttribute("strange"), type, Array(given.prefix(count)), [strange])
            #expect(throws: PlanError.self) { try plan(type, inputs: []) }
            #expect(throws: PlanError.self) { try plan(type, inputs: Array(repeating: "a", count: 12)) }
        }
        let heads = Attribute("num_heads", .int(0))
        expectError(.missingAttribute("num_heads"), "Attention", ["a", "b"])
        expectError(.attributeValue("num_heads"), "Attention", ["a", "b"], [heads])
        let two = Attribute("num_heads", .int(2))
        expectError(.missingInput(7), "MultiHeadAttention", ["a", "b", "c", "", "", "", "d"], [two])
        expectError(.missingAttribute("num_heads"), "MultiHeadAttention", ["a", "b", "c"])
        expectError(
            .attributeValue("activation"),
            "FusedConv",
            ["a", "b"],
            [Attribute("activation", .string("If"))]
        )
        expectError(.missingInput(0), "BiasGelu", ["", "b"])
        #expect {
            try plan("Inverse", inputs: ["a"])
        } throws: { error in
            guard case .unsupportedOperator(_, "Inverse", "com.microsoft", _)? = error as? PlanError else {
                return false
            }
            return true
        }
    }

    @Test func `a fused node in the body of a branch is taken apart as well`() throws {
        let gelu = Node("Gelu", name: "gelu", domain: "com.microsoft", inputs: ["x"], outputs: ["v"])
        let value = ValueInfo("v", elementType: .float32, dimensions: nil)
        let branch = Graph(name: "branch", nodes: [gelu], outputs: [value])
        let graph = Graph(
            name: "if",
            nodes: [
                Node(
                    "If",
                    inputs: ["flag"],
                    outputs: ["y"],
                    attributes: [
                        Attribute("then_branch", .graph(branch)), Attribute("else_branch", .graph(branch)),
                    ]
                )
            ],
            inputs: [
                ValueInfo("flag", elementType: .bool, dimensions: []),
                ValueInfo("x", elementType: .float32, dimensions: nil),
            ],
            outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
        )
        let plan = try ExecutionPlan(Model(graph: graph, opsetImports: ["": 17, "com.microsoft": 1]))
        let zero = Tensor(scalar: Float(0))
        #expect(try plan.run(["flag": Tensor(scalar: true), "x": zero]) == [zero])
    }
}
