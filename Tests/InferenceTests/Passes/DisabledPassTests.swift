import Foundation
import Kernels
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// A pass that is left out leaves its nodes as they are written, and the answers as they were.
struct DisabledPassTests {
    /// Each pass alone, and all of them.
    static let selections = PassName.allCases.map { Set([$0]) } + [Set(PassName.allCases)]

    private static let tolerance = Tolerance.close(
        absolute: 1e-5,
        relative: 1e-5,
        because: "float32 against Double, three to five layers"
    )

    private func check(_ actual: Tensor, _ expected: Tensor, _ place: String) {
        #expect(Self.tolerance.firstDifference(actual, expected) == nil, "\(place)")
    }

    // MARK: Reference models

    private static let models = [
        ("vowels-cnn", "inference"), ("vowels-bnlstm", "inference"), ("peptide-bytenet", "inference"),
        ("vowels-plain-bn", "eval-legacy"), ("vowels-plain-bn", "eval-legacy-unfolded"),
        ("vowels-plain-bn", "eval-dynamo"), ("vowels-plain-bn", "eval-dynamo-unoptimized"),
    ]

    @Test(arguments: models, selections)
    func `a padded batch gives the recorded logits`(_ model: (String, String), _ disabled: Set<PassName>)
        throws
    {
        let tensors = try SafeTensors.read(
            Fixtures.reference("expected/inference/\(model.0).safetensors")
        )
        let plan = try ExecutionPlan(
            Model(contentsOf: Fixtures.reference("models/\(model.0)/\(model.1).onnx")),
            without: disabled
        )
        let inputs = tensors.filter { plan.inputNames.contains($0.key) }
        for (name, output) in zip(plan.outputNames, try plan.run(inputs)) {
            check(output, try #require(tensors[name]), name)
        }
    }

    @Test(arguments: selections)
    func `nested scans give the recorded logits`(_ disabled: Set<PassName>) throws {
        let tensors = try SafeTensors.read(Fixtures.reference("expected/population/nested-scan.safetensors"))
        let plan = try ExecutionPlan(
            Model(contentsOf: Fixtures.reference("models/nested-scan/inference.onnx")),
            outputs: ["predictions"],
            without: disabled
        )
        let inputs = [
            "x": try #require(tensors["infer.within.x"]), "mask": try #require(tensors["infer.within.mask"]),
        ]
        check(try plan.run(inputs)[0], try #require(tensors["infer.within.predictions"]), "nested")
    }

    private static let served = [
        ("vowels-cnn", "inference"), ("vowels-bnlstm", "inference"), ("peptide-bytenet", "inference"),
        ("vowels-plain-bn", "eval-legacy-nomask"),
    ]

    @Test(arguments: served, selections)
    func `sequences served together give the recorded logits`(
        _ name: (String, String),
        _ disabled: Set<PassName>
    ) throws {
        let tensors = try SafeTensors.read(
            Fixtures.reference("expected/inference/\(name.0).safetensors")
        )
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/\(name.0)/\(name.1).onnx")),
            disabledPasses: disabled
        )
        let rows: [Tensor]
        if name.0 == "peptide-bytenet" {
            rows = try DataSets.peptides("test").prefix(24).map { try $0.rows() }
        } else {
            rows = try DataSets.vowels("test").prefix(24).map { try $0.rows() }
        }
        let batch = try SequenceBatch.concatenating(
            rows.map { try SequenceBatch(rows: $0, lengths: [$0.shape[0]]) }
        )
        let expected = try #require(tensors["all.predictions"]).slice(0..<batch.count)
        for batching in Batching.allCases {
            let output = try model.executor(for: .outputs([]), batching: batching).run(batch)[0]
            check(output.rows, expected, "\(batching)")
        }
        let report = try model.planReport(for: .outputs([]))
        #expect((report.fault == "the pass packing is left out") == disabled.contains(.packing))
    }

    // MARK: What each pass does

    private func graph(
        _ nodes: [Node],
        _ constants: [String: Tensor],
        without disabled: Set<PassName>
    ) throws -> PlanGraph {
        var graph = try planGraph(
            nodes,
            constants,
            inputs: [("x", .float32), ("v", .float32)],
            outputs: ["y"],
            opset: 20,
            without: disabled
        )
        PlannerPasses.run(on: &graph, without: disabled)
        return graph
    }

    private static let chains: [PassName: [Node]] = [
        .constantFolding: [
            Node("Neg", inputs: ["w"], outputs: ["n"]), Node("Add", inputs: ["x", "n"], outputs: ["y"]),
        ],
        .identityRemoval: [
            Node("Identity", inputs: ["x"], outputs: ["t"]), Node("Relu", inputs: ["t"], outputs: ["y"]),
        ],
        .affineChain: [
            Node("Mul", inputs: ["x", "s"], outputs: ["t"]), Node("Add", inputs: ["t", "s"], outputs: ["y"]),
        ],
        .affineIntoWeights: [
            Node("MatMul", inputs: ["x", "w"], outputs: ["t"]),
            Node("Mul", inputs: ["t", "s"], outputs: ["y"]),
        ],
        .tableFolding: [
            Node("Gather", inputs: ["w", "x"], outputs: ["t"]), Node("Neg", inputs: ["t"], outputs: ["y"]),
        ],
        .attentionFusion: [
            Node("MatMul", inputs: ["x", "v"], outputs: ["t"]),
            Node("Softmax", inputs: ["t"], outputs: ["p"]),
            Node("MatMul", inputs: ["p", "x"], outputs: ["y"]),
        ],
        .geluFusion: [
            Node("Mul", inputs: ["x", "part"], outputs: ["r"]), Node("Erf", inputs: ["r"], outputs: ["e"]),
            Node("Add", inputs: ["e", "one"], outputs: ["a"]),
            Node("Mul", inputs: ["x", "a"], outputs: ["g"]),
            Node("Mul", inputs: ["g", "s"], outputs: ["y"]),
        ],
        .activationEpilogue: [
            Node("Conv", inputs: ["x", "k"], outputs: ["t"]), Node("Relu", inputs: ["t"], outputs: ["y"]),
        ],
    ]

    @Test(arguments: chains.keys.sorted { $0.rawValue < $1.rawValue })
    func `a pass leaves fewer nodes, and those that are written without it`(_ pass: PassName) throws {
        let nodes = try #require(Self.chains[pass])
        let constants = [
            "w": try Tensor([Float(1), 2, 3, 4], shape: [2, 2]),
            "k": try Tensor([Float(1), 2, 3, 4], shape: [2, 2, 1]), "s": Tensor(scalar: Float(0.5)),
            "one": Tensor(scalar: Float(1)), "part": Tensor(scalar: Float(0.5).squareRoot()),
        ]
        let others = Set(PassName.allCases).subtracting([pass])
        let without = try graph(nodes, constants, without: Set(PassName.allCases))
        #expect(without.nodes.map(\.operatorType) == nodes.map(\.operatorType))
        #expect(try graph(nodes, constants, without: others).nodes.count < nodes.count)
    }

    @Test func `weights are packed unless the pass is left out`() throws {
        let nodes = [Node("MatMul", inputs: ["x", "w"], outputs: ["y"])]
        let constants = ["w": try Tensor([Float(1), 2, 3, 4], shape: [2, 2])]
        for disabled in [Set<PassName>(), [.weightPacking]] {
            let found = try graph(nodes, constants, without: disabled)
            let product = try #require(found.nodes[0].computation as? MatMul)
            #expect((product.prepared == nil) == disabled.contains(.weightPacking))
            #expect((WeightPacking.check(0, in: found) == nil) != disabled.contains(.weightPacking))
        }
    }

    @Test func `a convolution is filtered unless the pass is left out, or tiles of bfloat16 are faster`()
        throws
    {
        let nodes = [Node("Conv", inputs: ["x", "w"], outputs: ["y"])]
        let weights: [Float] = (0..<64 * 64 * 5).map { Float($0 % 17) / 64 }
        let constants = ["w": try Tensor(weights, shape: [64, 64, 5])]
        func isFiltered(without disabled: Set<PassName>, _ instructionSet: InstructionSet? = nil) throws
            -> Bool
        {
            var found = try graph(nodes, constants, without: [.weightPacking, .minimalFiltering])
            PlannerPasses.run(
                on: &found,
                without: disabled,
                precision: instructionSet == nil ? .float32 : .bfloat16,
                instructionSet: instructionSet ?? .active
            )
            let isFound = MinimalFiltering.check(0, in: found) != nil
            let convolution = try #require((found.nodes[0].computation as? Conv)?.prepared)
            #expect(isFound == (!convolution.isFiltered && instructionSet == nil))
            return convolution.isFiltered
        }
        #expect(try isFiltered(without: []))
        #expect(try !isFiltered(without: [.minimalFiltering]))
        #expect(try !isFiltered(without: [], .amx))
        #expect(try isFiltered(without: [], .avx512BFloat16) && isFiltered(without: [], .avx2))
        #expect(try !isFiltered(without: [.minimalFiltering], .avx512BFloat16))
    }

    @Test func `a loop runs in place unless the pass is left out`() throws {
        let body = Graph(
            name: "body",
            nodes: [Node("Add", inputs: ["h", "x_t"], outputs: ["next"])],
            inputs: ["h", "x_t"].map { ValueInfo($0, elementType: .float32, dimensions: nil) },
            outputs: [ValueInfo("next", elementType: .float32, dimensions: nil)]
        )
        let scan = Node(
            "Scan",
            inputs: ["v", "x"],
            outputs: ["y"],
            attributes: [Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(1))]
        )
        for disabled in [Set<PassName>(), [.scanHoisting]] {
            let found = try graph([scan], [:], without: disabled)
            let computation = try #require(found.nodes[0].computation as? Scan)
            #expect((computation.schedule == nil) == disabled.contains(.scanHoisting))
        }
    }

    @Test func `what the length alone decides is taken out unless the pass is left out`() throws {
        let model = try Model(contentsOf: Fixtures.reference("models/vowels-cnn/inference.onnx"))
        let known = try SequenceModel(model: model).planReport(for: .outputs([]))
        let open = try SequenceModel(model: model, disabledPasses: [.knownValues])
            .planReport(for: .outputs([]))
        #expect(known.steps.count < open.steps.count)
        #expect(open.fault == nil)
    }

    @Test func `a mask is taken out of a packed loop unless the pass is left out`() throws {
        let file = try Model(contentsOf: Fixtures.reference("models/vowels-bnlstm/inference.onnx"))
        func loop(without disabled: Set<PassName>) throws -> SegmentScan {
            let model = try SequenceModel(model: file, disabledPasses: disabled)
            let (written, rules) = try model.resolve(.outputs([]))
            var planned = try ExecutionPlan.graph(
                of: written,
                outputs: rules.map(\.value),
                without: disabled
            )
            let inputs = try PackedInputs(
                planned.graph,
                declared: planned.inputs,
                signature: model.signature
            )
            PlannerPasses.run(on: &planned.graph, without: disabled)
            let packed = try Lowering(planned.graph, sequence: inputs.sequence, inputs: inputs.facts)
                .finish { _, _ in true }
            return try #require(packed.program.computations.compactMap { $0 as? SegmentScan }.first)
        }
        let (folded, whole) = (try loop(without: []), try loop(without: [.knownValues]))
        #expect(folded.schedule.graph.nodes.count < whole.schedule.graph.nodes.count)
    }

    @Test func `the documentation names every pass`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/ragged.md"), encoding: .utf8)
        for pass in PassName.allCases { #expect(text.contains("| `\(pass.rawValue)` |")) }
    }
}
