import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Normalizations inside of a loop over the positions, answered with a row for each position.
struct LayerTests {
    private static let tolerance = Tolerance.close(
        absolute: 1e-5,
        relative: 1e-5,
        because: "another implementation sums in another order"
    )

    private func lstm() throws -> SequenceModel {
        try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/vowels-bnlstm/inference.onnx"))
        )
    }

    private func batch(_ parts: [Tensor]) throws -> SequenceBatch {
        try .concatenating(parts.map { try SequenceBatch(rows: $0, lengths: [$0.shape[0]]) })
    }

    @Test(arguments: ["lstm.bn_x", "lstm.bn_h", "lstm.bn_c"], Batching.allCases)
    func `a layer in a loop gives what another implementation gives for each sequence alone`(
        _ layer: String,
        _ batching: Batching
    ) throws {
        let tensors = try SafeTensors.read(Fixtures.file("layers/vowels-bnlstm.safetensors"))
        let sequences = try (0..<3).map { try #require(tensors["\($0)/x"]) }
        let output = try lstm().executor(for: .layer(layer), batching: batching).run(batch(sequences))[0]
        #expect(output.name == layer)
        #expect(output.lengths == sequences.map { $0.shape[0] })
        var start = 0
        for index in 0..<3 {
            let expected = try #require(tensors["\(index)/\(layer)"])
            let rows = output.rows.slice(start..<start + sequences[index].shape[0])
            #expect(Self.tolerance.firstDifference(rows, expected) == nil)
            start += rows.shape[0]
        }
    }

    @Test func `without a name the last layer answers`() throws {
        let model = try lstm()
        #expect(model.layers.map(\.name) == ["lstm.bn_x", "lstm.bn_h", "lstm.bn_c"])
        let batch = try batch([Tensor(repeating: Float(0.5), shape: [4, 12])])
        let unnamed = try model.executor(for: .layer(nil), batching: .ragged).run(batch)
        #expect(unnamed == (try model.executor(for: .layer("lstm.bn_c"), batching: .ragged).run(batch)))
    }

    @Test func `neighbours and padding change no bit of a layer in a loop`() throws {
        let tensors = try SafeTensors.read(Fixtures.file("layers/vowels-bnlstm.safetensors"))
        let sequences = try (0..<3).map { try #require(tensors["\($0)/x"]) }
        let model = try lstm()
        for layer in model.layers.map(\.name) {
            let ragged = try model.executor(for: .layer(layer), batching: .ragged).run(batch(sequences))
            let padded = try model.executor(for: .layer(layer), batching: .padded).run(batch(sequences))
            #expect(ragged == padded)
        }
    }

    // MARK: Made-up loops

    private func value(_ name: String, _ dimensions: [Dimension]? = nil) -> ValueInfo {
        ValueInfo(name, elementType: .float32, dimensions: dimensions)
    }

    /// `h += x_t`, and `(h - 1) / 2` of each step; scans axes of `x` `[B, L, 2]`, once for each entry.
    private func sums(
        axes: [Int64],
        directions: [Int64]? = nil,
        permutation: [Int64]? = nil
    ) throws -> Model {
        let inputs = axes.indices.map { "x_\($0)" }
        let body = Graph(
            name: "body",
            nodes: [
                Node("Add", inputs: ["h", "x_0"], outputs: ["h_next"]),
                Node("Sub", inputs: ["h_next", "mean"], outputs: ["centered"]),
                Node("Div", name: "norm", inputs: ["centered", "deviation"], outputs: ["normalized_h"]),
                Node("Identity", inputs: ["normalized_h"], outputs: ["unused"]),
            ],
            inputs: [value("h")] + inputs.map { value($0) },
            outputs: [value("h_next")]
        )
        var attributes = [
            Attribute("body", .graph(body)), Attribute("num_scan_inputs", .int(Int64(axes.count))),
            Attribute("scan_input_axes", .ints(axes)),
        ]
        if let directions { attributes.append(Attribute("scan_input_directions", .ints(directions))) }
        let source = permutation == nil ? "x" : "turned"
        var nodes: [Node] = []
        if let permutation {
            nodes.append(
                Node(
                    "Transpose",
                    inputs: ["x"],
                    outputs: ["turned"],
                    attributes: [Attribute("perm", .ints(permutation))]
                )
            )
        }
        nodes += [
            Node(
                "ReduceSum",
                inputs: ["x"],
                outputs: ["sum"],
                attributes: [Attribute("axes", .ints([1])), Attribute("keepdims", .int(0))]
            ),
            Node("Mul", inputs: ["sum", "zero"], outputs: ["h0"]),
            Node(
                "Scan",
                name: "scan",
                inputs: ["h0"] + axes.map { _ in source },
                outputs: ["last"],
                attributes: attributes
            ),
        ]
        return Model(
            graph: Graph(
                name: "sums",
                nodes: nodes,
                initializers: [
                    Initializer("mean", try Tensor([Float(1), 1], shape: [2])),
                    Initializer("deviation", try Tensor([Float(2), 2], shape: [2])),
                    Initializer("zero", Tensor(scalar: Float(0))),
                ],
                inputs: [value("x", [.symbol("batch"), .symbol("time"), .fixed(2)])],
                outputs: [value("last", [.symbol("batch"), .fixed(2)])]
            ),
            opsetImports: ["": 11]
        )
    }

    private static let layer = "scan/body/norm"

    /// Sequences of 3 and 1 positions through the only layer.
    private func answer(_ model: Model) throws -> [Float] {
        let executor = try SequenceModel(model: model).executor(for: .layer(Self.layer), batching: .ragged)
        let rows = try Tensor([Float(1), 3, 2, 4, 3, 5, 7, 9], shape: [4, 2])
        let output = try executor.run(SequenceBatch(rows: rows, lengths: [3, 1]))[0]
        #expect(output.lengths == [3, 1])
        return output.rows.array(of: Float.self)
    }

    @Test func `step t is position t wherever the time axis stands`() throws {
        let expected: [Float] = [0, 1, 1, 3, 2.5, 5.5, 3, 4]
        #expect(try answer(sums(axes: [1])) == expected)
        #expect(try answer(sums(axes: [-2])) == expected)
        #expect(try answer(sums(axes: [0], permutation: [1, 0, 2])) == expected)
        #expect(try answer(sums(axes: [2], permutation: [0, 2, 1])) == expected)
    }

    @Test func `steps that run backward are put in the order of the positions`() throws {
        #expect(try answer(sums(axes: [1], directions: [1])) == [2.5, 5.5, 2, 4, 1, 2, 3, 4])
    }

    @Test func `a loop whose steps are not positions has no layer, and says so`() throws {
        for directions in [[0, 1], [1, 0]] as [[Int64]] {
            let model = try SequenceModel(model: sums(axes: [1, 1], directions: directions))
            #expect(model.sites.map(\.name) == [Self.layer])
            #expect(model.layers.isEmpty)
            #expect(throws: PlanError.layerInsideLoop(Self.layer)) {
                _ = try model.executor(for: .layer(Self.layer), batching: .ragged)
            }
            #expect(throws: PlanError.noLayer) {
                _ = try model.executor(for: .layer(nil), batching: .ragged)
            }
        }
        let overBatches = try sums(axes: [0])
        #expect(place(of: overBatches) == nil)
        #expect(place(of: try sums(axes: [2])) == nil)
    }

    @Test func `a layer two loops deep has no place`() throws {
        let model = try Model(contentsOf: Fixtures.reference("models/nested-scan/inference.onnx"))
        let places = LayerPlaces(model, Self.signature)
        let found = NormalizationSite.sites(in: model).map { places.place(of: $0) }
        #expect(found.map { $0 == .ownGraph } == [true, false, false, true])
        #expect(found[1] == nil)
    }

    private static let signature = Signature(
        sequence: SequenceInput(name: "x", kind: .features(layout: .channelsLast, channels: 2))
    )

    private func place(of model: Model) -> LayerPlace? {
        NormalizationSite.sites(in: model).first.flatMap { LayerPlaces(model, Self.signature).place(of: $0) }
    }
}
