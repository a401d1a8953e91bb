import Foundation
import TensorCore
import Testing

@testable import ONNXGraph

@Suite final class ExternalDataTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    private var folder: URL { root.appendingPathComponent("model") }

    init() throws {
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("weights"),
            withIntermediateDirectories: true
        )
        try Data([0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]).write(
            to: folder.appendingPathComponent("w.bin")
        )
        try Data(count: 8).write(to: folder.appendingPathComponent("weights/w.bin"))
        try Data(count: 8).write(to: root.appendingPathComponent("secret.bin"))
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private func model(_ entries: [String: String], dimensions: [Int] = [2]) -> Model {
        var tensor = ProtoTensor()
        tensor.name = "w"
        tensor.dataType = 1
        tensor.dims = dimensions.map(Int64.init)
        tensor.dataLocation = 1
        tensor.externalData.update(to: entries)
        let folder = ExternalDataFolder(path: folder.path)
        var model = Samples.model([Node("Add", inputs: ["x", "w"], outputs: ["y"])])
        model.proto.graph.initializer = [tensor]
        return Model(proto: model.proto, folder: folder)
    }

    private func read(_ entries: [String: String]) throws -> [Float] {
        try model(entries).graph.initializers[0].tensor().array(of: Float.self)
    }

    private func expect(_ fault: ExternalDataFault, _ entries: [String: String]) {
        #expect(throws: ModelError.invalidTensor("w", .externalData(fault))) { try read(entries) }
    }

    @Test func `elements are read from files of the model's folder`() throws {
        #expect(try read(["location": "w.bin", "offset": "4", "length": "8"]) == [1, 2])
        #expect(try read(["location": "w.bin", "offset": "4"]) == [1, 2])
        #expect(try read(["location": "weights/w.bin"]) == [0, 0])
        #expect(try read(["location": "./weights//w.bin"]) == [0, 0])
    }

    @Test func `large tensors stay in their file, and the file stays as it is`() throws {
        let count = ExternalDataFolder.mappedByteCount / 4
        let values = (0..<count + 3).map { Float($0 % 1000) }
        let file = folder.appendingPathComponent("large.bin")
        try values.withUnsafeBytes { Data($0) }.write(to: file)
        for first in [0, 1, 3] {
            var tensor = try model(["location": "large.bin", "offset": "\(4 * first)"], dimensions: [count])
                .graph.initializers[0].tensor()
            let expected = Array(values[first..<first + count])
            #expect(isMapped(file))
            #expect(tensor.withElements(of: Float.self) { $0.elementsEqual(expected) })
            tensor.withMutableBytes { $0[0] = 1 }
            #expect(tensor.withBytes { $0[0] } == 1)
        }
        #expect(!isMapped(file))
        #expect(try Data(contentsOf: file) == values.withUnsafeBytes { Data($0) })
        // Not at a multiple of the element's size: copied.
        let odd = try model(["location": "large.bin", "offset": "1"], dimensions: [count]).graph.initializers[
            0
        ].tensor()
        #expect(!isMapped(file))
        #expect(odd.count == count)
        #expect(throws: ModelError.invalidTensor("w", .externalData(.outOfBounds(location: "large.bin")))) {
            try model(["location": "large.bin", "offset": "16"], dimensions: [count]).graph.initializers[0]
                .tensor()
        }
    }

    @Test func `no way leads out of the model's folder`() throws {
        let link = folder.appendingPathComponent("link.bin")
        try FileManager.default.createSymbolicLink(
            at: link,
            withDestinationURL: root.appendingPathComponent("secret.bin")
        )
        let folderLink = folder.appendingPathComponent("up")
        try FileManager.default.createSymbolicLink(at: folderLink, withDestinationURL: root)
        let sibling = root.appendingPathComponent("model-other")
        try FileManager.default.createDirectory(at: sibling, withIntermediateDirectories: true)
        try Data(count: 8).write(to: sibling.appendingPathComponent("w.bin"))
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("other"),
            withDestinationURL: sibling
        )
        for location in [
            "../secret.bin", "/etc/passwd", "weights/../../secret.bin", "link.bin", "up/secret.bin",
            root.appendingPathComponent("secret.bin").path, "w.bin\0", "..", "weights/..", "other/w.bin",
        ] {
            expect(.outsideFolder(location: location), ["location": location])
        }
    }

    @Test func `what is not there is not read`() {
        expect(.missingLocation, [:])
        expect(.missingLocation, ["location": ""])
        expect(.unreadable(location: "none.bin"), ["location": "none.bin"])
        expect(.unreadable(location: "weights"), ["location": "weights"])
        for (key, value) in [
            ("offset", "8"), ("offset", "-4"), ("offset", "9223372036854775807"), ("offset", "x"),
            ("length", "12"), ("length", "9223372036854775807"), ("length", "-1"),
        ] {
            expect(.outOfBounds(location: "w.bin"), ["location": "w.bin", key: value])
        }
    }

    @Test func `absurd dimensions allocate nothing`() throws {
        var model = model(["location": "w.bin"])
        model.proto.graph.initializer[0].dims = [1 << 30]
        #expect(throws: ModelError.invalidTensor("w", .externalData(.outOfBounds(location: "w.bin")))) {
            try model.graph.initializers[0].tensor()
        }
    }

    @Test func `a model of bytes has no folder to read from`() throws {
        let bytes = try model(["location": "w.bin"]).serialized()
        #expect(throws: ModelError.invalidTensor("w", .externalData(.noFolder))) {
            try Model(serialized: bytes).graph.initializers[0].tensor()
        }
    }

    @Test func `a model is written elsewhere only after its tensors are taken in`() throws {
        var model = model(["location": "w.bin", "offset": "4"])
        let beside = folder.appendingPathComponent("m.onnx")
        try model.write(to: beside)
        #expect(try Model(contentsOf: beside) == model)
        let elsewhere = root.appendingPathComponent("m.onnx")
        #expect(throws: ModelError.externalDataLeftBehind(file: elsewhere.path)) {
            try model.write(to: elsewhere)
        }
        try model.embedExternalData()
        #expect(!model.hasExternalData)
        try model.write(to: elsewhere)
        let tensor = try Model(contentsOf: elsewhere).graph.initializers[0].tensor()
        #expect(tensor.array(of: Float.self) == [1, 2])
    }

    /// Whether the process has a file in its memory; line by line, as other tests map and unmap meanwhile.
    private func isMapped(_ file: URL) -> Bool {
        guard let maps = fopen("/proc/self/maps", "r") else { return false }
        defer { fclose(maps) }
        var line = [CChar](repeating: 0, count: 8192)
        while fgets(&line, Int32(line.count), maps) != nil {
            if strstr(line, file.path) != nil { return true }
        }
        return false
    }
}
