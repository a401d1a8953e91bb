import Foundation
import Safetensors
import TensorCore
import TestSupport
import Testing

struct SafetensorsFileTests {
    /// One tensor of every element type, an empty one, and a scalar.
    static func sample() throws -> SafetensorsFile {
        var file = SafetensorsFile(
            tensors: [
                "float32": try Tensor([1.5, -.infinity, .nan, 0] as [Float], shape: [2, 2]),
                "float64": try Tensor([1e300, -0.0] as [Double], shape: [2]),
                "int8": try Tensor([-128, 127] as [Int8], shape: [2]),
                "int16": try Tensor([-1, 300, 7] as [Int16], shape: [3, 1]),
                "int32": Tensor(scalar: Int32.min),
                "int64": try Tensor([.min, .max] as [Int64], shape: [1, 2, 1]),
                "uint8": try Tensor([0, 255, 3] as [UInt8], shape: [3]),
                "uint16": Tensor(scalar: UInt16.max),
                "uint32": Tensor(scalar: UInt32.max),
                "uint64": try Tensor([.max, 1] as [UInt64], shape: [2]),
                "bool": try Tensor([true, false, true] as [Bool], shape: [3]),
                "empty": try Tensor([] as [Float], shape: [0, 5]),
                "\u{1}\"\\/é😀": Tensor(scalar: Float(1)),
            ],
            metadata: ["format": "pt", "quote\"": "line\nbreak\u{0}"]
        )
        var half = Tensor(uninitialized: .float16, shape: [2])
        half.withMutableBytes { for index in $0.indices { $0[index] = UInt8(index) } }
        file.tensors["float16"] = half
        var brain = Tensor(uninitialized: .bfloat16, shape: [1])
        brain.withMutableBytes { for index in $0.indices { $0[index] = 0x3F } }
        file.tensors["bfloat16"] = brain
        return file
    }

    @Test func `what is written is read again, every bit of every type`() throws {
        let file = try Self.sample()
        #expect(try SafetensorsFile(serialized: file.serialized()) == file)
    }

    @Test func `a file without tensors and metadata is read again`() throws {
        let file = SafetensorsFile(tensors: [:])
        #expect(try SafetensorsFile(serialized: file.serialized()) == file)
    }

    @Test func `bytes that do not begin at 0 are read as well`() throws {
        let file = try Self.sample()
        let bytes = try Data([1, 2, 3]) + file.serialized()
        #expect(try SafetensorsFile(serialized: bytes[3...]) == file)
    }

    @Test func `equal content gives equal bytes, with elements aligned to their size`() throws {
        let bytes = try Self.sample().serialized()
        #expect(try SafetensorsFile(serialized: bytes).serialized() == bytes)
        let headerCount = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        #expect(headerCount % 8 == 0)
        let header = try #require(
            JSONSerialization.jsonObject(with: bytes[8..<(8 + headerCount)]) as? [String: [String: Any]]
        )
        for (name, entry) in header where name != "__metadata__" {
            let offsets = try #require(entry["data_offsets"] as? [Int])
            let tensor = try #require(try Self.sample().tensors[name])
            #expect(offsets[0] % tensor.elementType.byteCount == 0, "\(name)")
            #expect(offsets[1] - offsets[0] == tensor.byteCount, "\(name)")
        }
    }

    @Test func `the header may have white space, escapes, and properties in any order`() throws {
        let header = """
             {\t"__metadata__" : { } ,\r\n "\\u0061\\ud83d\\ude00" : { "data_offsets" : [ 0 , 4 ] ,
              "shape" : [ ] , "dtype" : "F32" } }  \n
            """
        let file = try SafetensorsFile(serialized: Self.file(header, elements: [0, 0, 128, 63]))
        #expect(file.tensors == ["a😀": Tensor(scalar: Float(1))])
    }

    @Test func `the fixtures' files are read`() throws {
        let file = try SafetensorsFile(
            contentsOf: Fixtures.reference("expected/population/nested-scan.safetensors")
        )
        #expect(file.tensors["batch0.inner.bn.mean"]?.shape == [3, 5, 4])
        #expect(file.tensors["pooled.head.bn.count"]?.elementType == .int64)
    }

    @Test func `a tensor cannot have the metadata's name`() {
        let file = SafetensorsFile(tensors: ["__metadata__": Tensor(scalar: Float(1))])
        #expect(throws: SafetensorsError.reservedName("__metadata__")) { try file.serialized() }
    }

    @Test func `a file that is not there is named`() {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        #expect(throws: SafetensorsError.unreadable(file: url.path, reason: "there is no such file")) {
            try SafetensorsFile(contentsOf: url)
        }
    }

    static func file(_ header: String, elements: [UInt8] = []) -> Data {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
            + Data(elements)
    }
}
