import Foundation
import ONNXGraph
import Testing

@Suite struct RoundTripTests {
    /// A field with a number that ONNX does not use, holding one byte.
    private static let unknownField = Data([0xC2, 0xBB, 0x01, 0x01, 0x2A])

    @Test(arguments: Samples.referenceModels)
    func `a file loaded and saved is equal as a message and as long`(name: String) throws {
        let bytes = try Samples.bytes(name)
        let model = try Model(serialized: bytes)
        let saved = try model.serialized()
        #expect(saved.count == bytes.count)
        #expect(try Model(serialized: saved) == model)
    }

    @Test func `unknown fields of the model are written back`() throws {
        let bytes = try Samples.bytes("vowels-cnn/inference") + Self.unknownField
        let model = try Model(serialized: bytes)
        let saved = try model.serialized()
        #expect(saved.count == bytes.count)
        #expect(saved.range(of: Self.unknownField) != nil)
        #expect(try Model(serialized: saved) == model)
        #expect(try model != Samples.model("vowels-cnn/inference"))
    }

    @Test func `unknown fields of inner messages are written back`() throws {
        // model { graph { node { op_type, attribute { name, unknown }, unknown }, unknown } }
        func message(_ field: UInt8, _ content: Data) -> Data {
            Data([field << 3 | 2, UInt8(content.count)]) + content
        }
        let attribute = message(1, Data("a".utf8)) + Self.unknownField
        let node = message(4, Data("Relu".utf8)) + message(5, attribute) + Self.unknownField
        let graph = message(1, node) + Self.unknownField
        let bytes = message(7, graph)
        var model = try Model(serialized: bytes)
        #expect(try model.serialized() == bytes)

        model.graph.nodes = model.graph.nodes
        model.graph.nodes[0].attributes = model.graph.nodes[0].attributes
        #expect(try model.serialized() == bytes)
    }

    @Test func `reading every list and writing it back changes nothing`() throws {
        let model = try Samples.model("vowels-bnlstm/inference")
        var copy = model
        var graph = copy.graph
        graph.nodes = graph.nodes
        graph.initializers = graph.initializers
        graph.inputs = graph.inputs
        graph.outputs = graph.outputs
        graph.valueInfos = graph.valueInfos
        copy.graph = graph
        copy.metadata = copy.metadata
        copy.opsetImports = copy.opsetImports
        #expect(copy == model)
    }

    @Test func `a written file holds the model and leaves no other file behind`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("model.onnx")
        var model = try Samples.model("vowels-cnn/inference")
        try model.write(to: file)
        model.metadata["labels"] = "[]"
        try model.write(to: file)
        #expect(try Model(contentsOf: file) == model)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.onnx"])
    }

    @Test func `a folder that is missing is named`() {
        let file = URL(filePath: "/nonexistent/model.onnx")
        #expect(throws: ModelError.unwritable(file: file.path, reason: "No such file or directory")) {
            try Samples.model([Samples.relu("x", "y")]).write(to: file)
        }
        #expect(throws: ModelError.unreadable(file: file.path, reason: "there is no such file")) {
            try Model(contentsOf: file)
        }
    }

    @Test func `metadata keeps its order and takes new keys at the end`() throws {
        var model = try Samples.model("peptide-bytenet/inference")
        #expect(model.metadata["alphabet"] == "ACDEFGHIKLMNPQRSTVWY")
        #expect(model.metadata["pad_id"] == "20")
        model.metadata["pad_id"] = "0"
        model.metadata["new"] = "1"
        model.metadata["bn_population"] = nil
        #expect(
            try Model(serialized: model.serialized()).metadata.keys.sorted() == ["alphabet", "new", "pad_id"]
        )
    }

    @Test func `a digest is SHA-256`() {
        #expect(
            Digest.sha256Hex(Data("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            Digest.sha256Hex(Data()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    }
}
