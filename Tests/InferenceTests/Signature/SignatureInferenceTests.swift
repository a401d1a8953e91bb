import Foundation
import Inference
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@Suite struct SignatureInferenceTests {
    typealias Axis = ONNXGraph.Dimension

    private let batch = Axis.symbol("batch")
    private let time = Axis.symbol("time")

    private func model(
        _ inputs: [ValueInfo],
        _ outputs: [ValueInfo],
        nodes: [Node] = [],
        initializers: [Initializer] = [],
        metadata: [String: String] = [:]
    ) -> Model {
        let graph = Graph(
            name: "g",
            nodes: nodes,
            initializers: initializers,
            inputs: inputs,
            outputs: outputs
        )
        var model = Model(graph: graph, opsetImports: ["": 17])
        model.metadata = metadata
        return model
    }

    private func value(_ name: String, _ axes: [Axis]?, _ type: ElementType = .float32) -> ValueInfo {
        ValueInfo(name, elementType: type, dimensions: axes)
    }

    private func weights(_ name: String, _ shape: Shape) -> Initializer {
        Initializer(name, Tensor(repeating: Float(0), shape: shape))
    }

    private func infer(_ model: Model, _ document: String? = nil) throws(SignatureError) -> Signature {
        try Signature(inferring: model, document: document.map { Data($0.utf8) })
    }

    private var logits: ValueInfo { value("logits", [batch, .fixed(9)]) }

    private static func reference(_ name: String) throws -> Model {
        try Model(contentsOf: Fixtures.reference("models/\(name).onnx"))
    }

    // MARK: Reference models

    @Test(arguments: [
        "vowels-cnn/inference", "vowels-cnn/train", "vowels-plain-bn/eval-legacy",
        "vowels-plain-bn/eval-legacy-unfolded", "vowels-plain-bn/eval-dynamo",
        "vowels-plain-bn/eval-dynamo-unoptimized", "vowels-plain-bn/train-legacy",
    ])
    func `features and mask of the convolutional models`(name: String) throws {
        #expect(
            try infer(Self.reference(name))
                == Signature(
                    sequence: SequenceInput(
                        name: "x",
                        kind: .features(layout: .channelsFirst, channels: 12)
                    ),
                    mask: MaskInput(name: "mask", elementType: .float32, rank: 3),
                    outputs: [OutputSignature(name: "predictions", kind: .perSequence, features: [9])]
                )
        )
    }

    @Test func `a model without a mask has none`() throws {
        let signature = try infer(Self.reference("vowels-plain-bn/eval-legacy-nomask"))
        #expect(signature.mask == nil)
        #expect(signature.sequence.kind == .features(layout: .channelsFirst, channels: 12))
    }

    @Test func `tokens, alphabet and an output per position of the peptide model`() throws {
        let signature = try infer(Self.reference("peptide-bytenet/inference"))
        #expect(signature.sequence == SequenceInput(name: "tokens", kind: .tokens))
        #expect(signature.mask == MaskInput(name: "mask", elementType: .float32, rank: 3))
        #expect(
            signature.outputs == [
                OutputSignature(name: "predictions", kind: .perSequence, features: [2]),
                OutputSignature(name: "normalized", kind: .perPosition(timeAxis: 2), features: [64]),
            ]
        )
        #expect(signature.vocabularySize == 21)
        #expect(signature.padID == 20)
        #expect(try signature.alphabet == Alphabet(letters: "ACDEFGHIKLMNPQRSTVWY"))
    }

    @Test func `features of the recurrent model are channels last`() throws {
        let signature = try infer(Self.reference("vowels-bnlstm/inference"))
        #expect(signature.sequence.kind == .features(layout: .channelsLast, channels: 12))
        #expect(signature.mask == MaskInput(name: "mask", elementType: .float32, rank: 3))
    }

    @Test func `a sequence of sequences is refused with its axes`() throws {
        let axes = ["batch", "outer_time", "inner_time", "3"]
        #expect(throws: SignatureError.unsupportedRank(input: "x", axes: axes)) {
            try infer(Self.reference("nested-scan/inference"))
        }
    }

    // MARK: Layout and channels

    @Test func `open axes are told apart by the weights they meet`() throws {
        let open = [value("input", [.symbol("N"), .unknown, .symbol("L")])]
        let convolution = Node("Conv", inputs: ["input", "w"], outputs: ["logits"])
        #expect(
            try infer(model(open, [logits], nodes: [convolution], initializers: [weights("w", [4, 7, 3])]))
                .sequence.kind == .features(layout: .channelsFirst, channels: 7)
        )
        let transposed = [
            Node(
                "Transpose",
                inputs: ["input"],
                outputs: ["t"],
                attributes: [Attribute("perm", .ints([0, 2, 1]))]
            ),
            Node("Conv", inputs: ["t", "w"], outputs: ["logits"]),
        ]
        #expect(
            try infer(model(open, [logits], nodes: transposed, initializers: [weights("w", [4, 7, 3])]))
                .sequence.kind == .features(layout: .channelsLast, channels: 7)
        )
        let product = [
            Node("Relu", inputs: ["input"], outputs: ["r"]),
            Node("MatMul", inputs: ["r", "w"], outputs: ["logits"]),
        ]
        #expect(
            try infer(model(open, [logits], nodes: product, initializers: [weights("w", [5, 3])])).sequence
                .kind
                == .features(layout: .channelsLast, channels: 5)
        )
        let recurrent = [
            Node(
                "Transpose",
                inputs: ["input"],
                outputs: ["t"],
                attributes: [Attribute("perm", .ints([1, 0, 2]))]
            ),
            Node("LSTM", inputs: ["t", "w", "r"], outputs: ["logits"]),
        ]
        let lstm = [weights("w", [1, 8, 6]), weights("r", [1, 8, 2])]
        #expect(
            try infer(model(open, [logits], nodes: recurrent, initializers: lstm)).sequence.kind
                == .features(layout: .channelsLast, channels: 6)
        )
    }

    @Test func `groups of a convolution multiply its channels`() throws {
        let node = Node(
            "Conv",
            inputs: ["x", "w"],
            outputs: ["logits"],
            attributes: [Attribute("group", .int(6))]
        )
        let open = [value("x", [batch, .symbol("c"), time])]
        #expect(
            try infer(model(open, [logits], nodes: [node], initializers: [weights("w", [6, 1, 3])])).sequence
                .kind
                == .features(layout: .channelsFirst, channels: 6)
        )
        let absurd = Node(
            "Conv",
            inputs: ["x", "w"],
            outputs: ["logits"],
            attributes: [Attribute("group", .int(.max))]
        )
        #expect(throws: SignatureError.self) {
            try infer(model(open, [logits], nodes: [absurd], initializers: [weights("w", [6, 2, 3])]))
        }
    }

    @Test func `open axes that nothing tells apart are refused until model.json does`() throws {
        let open = model([value("x", [batch, .symbol("a"), .symbol("b")])], [logits])
        #expect(throws: SignatureError.unknownLayout(input: "x", axes: ["batch", "a", "b"])) {
            try infer(open)
        }
        #expect(throws: SignatureError.unknownChannels(input: "x")) {
            try infer(open, #"{"signature": {"sequence": {"name": "x", "layout": "channels_last"}}}"#)
        }
        let document = #"{"signature": {"sequence": {"layout": "channels_last", "channels": 4}}}"#
        #expect(try infer(open, document).sequence.kind == .features(layout: .channelsLast, channels: 4))
    }

    @Test func `a single channel is features when there is nothing else`() throws {
        #expect(
            try infer(model([value("x", [batch, .fixed(1), time])], [logits])).sequence.kind
                == .features(layout: .channelsFirst, channels: 1)
        )
    }

    @Test func `models for one length or one batch size are refused`() throws {
        #expect(throws: SignatureError.fixedBatch(input: "x", size: 1)) {
            try infer(model([value("x", [.fixed(1), .fixed(12), time])], [logits]))
        }
        let node = Node("Conv", inputs: ["x", "w"], outputs: ["logits"])
        #expect(throws: SignatureError.fixedLength(input: "x", length: 17)) {
            try infer(
                model(
                    [value("x", [batch, .fixed(12), .fixed(17)])],
                    [logits],
                    nodes: [node],
                    initializers: [weights("w", [4, 12, 3])]
                )
            )
        }
    }

    // MARK: Mask, lengths and other inputs

    @Test(arguments: [
        ("mask", ElementType.bool, 2), ("attention_mask", .int64, 2), ("valid", .float32, 2),
        ("m", .float32, 3),
    ])
    func `masks of every form are found`(name: String, type: ElementType, rank: Int) throws {
        let axes = rank == 2 ? [batch, time] : [batch, .fixed(1), time]
        let signature = try infer(
            model([value("x", [batch, .fixed(12), time]), value(name, axes, type)], [logits])
        )
        #expect(signature.mask == MaskInput(name: name, elementType: type, rank: rank))
    }

    @Test func `lengths are found`() throws {
        let signature = try infer(
            model([value("x", [batch, time, .fixed(12)]), value("lengths", [batch], .int64)], [logits])
        )
        #expect(signature.lengths == LengthsInput(name: "lengths", elementType: .int64))
        #expect(signature.sequence.kind == .features(layout: .channelsLast, channels: 12))
    }

    @Test func `a mask that is true at padding is refused until model.json vouches for it`() throws {
        let padded = model(
            [value("x", [batch, .fixed(12), time]), value("src_key_padding_mask", [batch, time], .bool)],
            [logits]
        )
        #expect(throws: SignatureError.paddingMask(input: "src_key_padding_mask")) { try infer(padded) }
        let document = #"{"signature": {"mask": {"name": "src_key_padding_mask"}}}"#
        #expect(try infer(padded, document).mask?.name == "src_key_padding_mask")
    }

    @Test func `inputs without a meaning are refused`() throws {
        let x = value("x", [batch, .fixed(12), time])
        #expect(throws: SignatureError.unassignedInput("speaker", axes: ["batch", "8"])) {
            try infer(model([x, value("speaker", [batch, .fixed(8)])], [logits]))
        }
        #expect(throws: SignatureError.severalMasks(["a_mask", "b_mask"])) {
            try infer(model([x, value("a_mask", [batch, time]), value("b_mask", [batch, time])], [logits]))
        }
        #expect(throws: SignatureError.severalSequenceInputs(["x", "z"])) {
            try infer(model([x, value("z", [batch, .fixed(3), time])], [logits]))
        }
        #expect(throws: SignatureError.noSequenceInput(inputs: [])) { try infer(model([], [logits])) }
        #expect(throws: SignatureError.undeclaredAxes(input: "x")) {
            try infer(model([value("x", nil)], [logits]))
        }
        #expect(throws: SignatureError.unsupportedElementType(input: "x", meaning: "features: float32")) {
            try infer(model([value("x", [batch, .fixed(12), time], .float16)], [logits]))
        }
    }

    @Test func `an input with a default value needs no meaning`() throws {
        let x = value("x", [batch, .fixed(12), time])
        let signature = try infer(
            model([x, value("w", [.fixed(2)])], [logits], initializers: [weights("w", [2])])
        )
        #expect(signature.sequence.name == "x")
    }

    // MARK: Tokens

    @Test func `tokens are the integers that an embedding is indexed by`() throws {
        let inputs = [
            value("attention_mask", [batch, time], .int64), value("input_ids", [batch, time], .int64),
        ]
        let lookup = Node("Gather", inputs: ["table", "input_ids"], outputs: ["e"])
        let signature = try infer(
            model(inputs, [logits], nodes: [lookup], initializers: [weights("table", [30, 4])])
        )
        #expect(signature.sequence == SequenceInput(name: "input_ids", kind: .tokens))
        #expect(signature.mask?.name == "attention_mask")
        #expect(signature.vocabularySize == 30)
        #expect(signature.tokenLimit == 30)
    }

    @Test func `alphabet, pad id and labels come from the metadata and model.json overrides them`() throws {
        let metadata = ["alphabet": #"{"A": 1, "C": 2}"#, "pad_id": "0", "labels": #"["no", "yes"]"#]
        let tokens = model(
            [value("tokens", [batch, time], .int64)],
            [value("p", [batch, .fixed(2)])],
            metadata: metadata
        )
        let signature = try infer(tokens)
        #expect(signature.alphabet?.ids == ["A": 1, "C": 2])
        #expect(signature.alphabet?.count == 3)
        #expect(signature.padID == 0)
        #expect(signature.labels == ["no", "yes"])
        #expect(signature.labelledOutput?.name == "p")
        let overridden = try infer(tokens, #"{"alphabet": "GT", "pad_id": 2, "labels": ["a", "b"]}"#)
        #expect(overridden.alphabet?.ids == ["G": 0, "T": 1])
        #expect(overridden.padID == 2)
        #expect(overridden.labels == ["a", "b"])
    }

    @Test func `an alphabet or labels that do not fit the model are refused`() throws {
        let lookup = Node("Gather", inputs: ["table", "t"], outputs: ["e"])
        func tokens(_ metadata: [String: String]) -> Model {
            model(
                [value("t", [batch, time], .int64)],
                [logits],
                nodes: [lookup],
                initializers: [weights("table", [3, 4])],
                metadata: metadata
            )
        }
        #expect(throws: SignatureError.idOutOfRange(key: "alphabet", id: 3, vocabularySize: 3)) {
            try infer(tokens(["alphabet": "ACGT"]))
        }
        #expect(throws: SignatureError.idOutOfRange(key: "pad_id", id: 3, vocabularySize: 3)) {
            try infer(tokens(["pad_id": "3"]))
        }
        #expect(throws: SignatureError.invalidAlphabet(.repeatedLetter("A"))) {
            try infer(tokens(["alphabet": "ACA"]))
        }
        #expect(throws: SignatureError.invalidAlphabet(.notALetter("AC"))) {
            try infer(tokens(["alphabet": #"{"AC": 1}"#]))
        }
        #expect(throws: SignatureError.labelCount(2)) { try infer(tokens(["labels": #"["a", "b"]"#])) }
        #expect(throws: SignatureError.alphabetForFeatures) {
            try infer(model([value("x", [batch, .fixed(12), time])], [logits], metadata: ["alphabet": "AC"]))
        }
        #expect(
            throws: SignatureError.invalidDocument(
                source: .metadata(key: "pad_id"),
                reason: "it is not an integer"
            )
        ) { try infer(tokens(["pad_id": "x"])) }
    }

    // MARK: Outputs

    @Test func `outputs per position are found by the time axis, whatever it is called`() throws {
        let x = value("x", [.symbol("s0"), .fixed(12), .symbol("s53")])
        for (axes, timeAxis) in [
            ([Axis.symbol("s0"), .symbol("s53"), .fixed(4)], 1),
            ([.symbol("s0"), .fixed(4), .symbol("s53")], 2),
            ([.unknown, .fixed(4), .symbol("Convy_dim_2")], 2),
            ([.unknown, .unknown], 1),
        ] {
            let kind = try infer(model([x], [value("y", axes)])).outputs[0].kind
            #expect(kind == .perPosition(timeAxis: timeAxis))
        }
        #expect(
            try infer(model([x], [value("y", [.symbol("s0")])])).outputs
                == [OutputSignature(name: "y", kind: .perSequence, features: [])]
        )
    }

    @Test func `outputs of another length or order are refused until model.json leaves them out`() throws {
        let x = value("x", [batch, .fixed(12), time])
        #expect(throws: SignatureError.outputLength("y", length: "time//2")) {
            try infer(model([x], [value("y", [batch, .fixed(4), .symbol("time//2")])]))
        }
        #expect(throws: SignatureError.outputBatchAxis("y", axes: ["time", "batch", "5"])) {
            try infer(model([x], [value("y", [time, batch, .fixed(5)])]))
        }
        let attention = model([x], [logits, value("y", [batch, time, time])])
        #expect(throws: SignatureError.ambiguousOutput("y", axes: ["batch", "time", "time"])) {
            try infer(attention)
        }
        let document = #"{"signature": {"outputs": [{"name": "logits"}]}}"#
        #expect(try infer(attention, document).outputs.map(\.name) == ["logits"])
        #expect(throws: SignatureError.undeclaredOutput("y")) { try infer(model([x], [value("y", nil)])) }
        #expect(throws: SignatureError.noOutputs) { try infer(model([x], [])) }
    }

    // MARK: model.json

    @Test func `a model.json with a name that the model does not have is refused`() throws {
        let x = model([value("x", [batch, .fixed(12), time])], [logits])
        #expect(throws: SignatureError.unknownInput("z", known: ["x"])) {
            try infer(x, #"{"signature": {"mask": {"name": "z"}}}"#)
        }
        #expect(throws: SignatureError.unknownOutput("z", known: ["logits"])) {
            try infer(x, #"{"signature": {"outputs": [{"name": "z"}]}}"#)
        }
    }

    @Test(arguments: [
        ("", "it is not JSON"), ("[]", "it has the wrong type"),
        (#"{"labels": "a"}"#, "'labels' has the wrong type"),
        (#"{"signature": {"mask": {}}}"#, "'signature.mask.name' is missing"),
        (
            #"{"signature": {"sequence": {"layout": "x"}}}"#,
            "'signature.sequence.layout' is not a known value"
        ),
    ])
    func `a model.json that cannot be read is refused with the place`(text: String, reason: String) throws {
        let x = model([value("x", [batch, .fixed(12), time])], [logits])
        #expect(throws: SignatureError.invalidDocument(source: .document, reason: reason)) {
            try infer(x, text)
        }
    }

    @Test func `a signature written as JSON describes the model it came from`() throws {
        for name in ["vowels-cnn/inference", "peptide-bytenet/inference", "vowels-bnlstm/inference"] {
            var model = try Self.reference(name)
            let signature = try infer(model)
            let json = try JSONEncoder().encode(signature)
            #expect(try JSONDecoder().decode(Signature.self, from: json) == signature)
            model.metadata = ["signature": String(decoding: json, as: UTF8.self)]
            #expect(try infer(model) == signature)
        }
    }

    @Test func `every message about a signature says something`() {
        let errors: [SignatureError] = [
            .severalSequenceInputs(["a", "b"]), .unknownLayout(input: "x", axes: ["a", "b", "c"]),
            .unknownChannels(input: "x"), .severalMasks(["a", "b"]), .severalLengths(["a", "b"]),
            .paddingMask(input: "m"), .unassignedInput("z", axes: ["a"]), .undeclaredOutput("y"),
            .ambiguousOutput("y", axes: ["a", "b"]),
        ]
        for error in errors { #expect(error.description.contains("model.json"), "\(error)") }
    }
}
