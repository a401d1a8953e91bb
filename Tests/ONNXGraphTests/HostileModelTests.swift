import Foundation
import Testing

@testable import ONNXGraph

/// Files that somebody broke: each gives a typed error or a model, and never takes the process down.
@Suite struct HostileModelTests {
    private static let names = ["vowels-cnn/inference", "vowels-bnlstm/inference", "nested-scan/inference"]

    /// A small generator with a fixed seed, the same on every machine.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Everything that can be done with a file before a plan is made of it.
    private func use(_ bytes: Data) throws(ModelError) {
        let model = try Model(serialized: bytes)
        try model.validate()
        try decodeTensors(of: model.graph)
    }

    private func decodeTensors(of graph: Graph) throws(ModelError) {
        for initializer in graph.initializers { _ = try initializer.tensor() }
        for node in graph.nodes {
            for attribute in node.attributes {
                switch attribute.value {
                case .tensor(let tensor): _ = try tensor.tensor()
                case .graph(let subgraph): try decodeTensors(of: subgraph)
                default: break
                }
            }
        }
    }

    @Test(arguments: names)
    func `a truncated file is an error`(name: String) throws {
        let bytes = try Samples.bytes(name)
        let stride = min(1000, bytes.count / 40)
        for length in Swift.stride(from: 0, to: bytes.count, by: stride) {
            #expect(throws: ModelError.self, "\(length)") { try use(bytes.prefix(length)) }
        }
    }

    @Test(arguments: names)
    func `random changes never trap`(name: String) throws {
        let original = try Samples.bytes(name)
        var generator = Generator(state: 42)
        var refused = 0
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                // Half of the changes go to the front, where the nodes are rather than the numbers.
                let range = Bool.random(using: &generator) ? 0..<bytes.count : 0..<min(4000, bytes.count)
                bytes[Int.random(in: range, using: &generator)] ^=
                    1 << UInt8.random(in: 0...7, using: &generator)
            }
            do { try use(bytes) } catch { refused += error.description.isEmpty ? 0 : 1 }
        }
        #expect(refused > 300)
    }

    @Test func `bytes that are no model are an error`() {
        #expect(throws: ModelError.undecodable(.empty)) { try use(Data()) }
        #expect(throws: ModelError.self) { try use(Data("not a model".utf8)) }
        #expect(throws: ModelError.self) { try use(Data(repeating: 0xFF, count: 4096)) }
        #expect(throws: ModelError.self) { try use(Data(repeating: 0, count: 4096)) }
        // A hundred thousand groups in one another, as unknown fields.
        #expect(throws: ModelError.self) { try use(Data(repeating: 0x9B, count: 100_000)) }
        #expect(throws: ModelError.self) { try use(Data(repeating: 0x0B, count: 100_000)) }
        // A length of 2^63 - 1 bytes.
        #expect(throws: ModelError.self) {
            try use(Data([0x3A] + Array(repeating: 0xFF, count: 8) + [0x7F, 0x00]))
        }
    }

    @Test func `a string that is not UTF-8 is an error`() {
        #expect(throws: ModelError.undecodable(.invalidUTF8)) { try use(Data([0x12, 0x01, 0xFF])) }
    }

    @Test func `messages of one kind nested a hundred thousand times are an error`() throws {
        // graph -> node -> attribute -> graph ..., lengths right at every level.
        var message = Data()
        var tags: [UInt8] = []
        for level in 0..<100_000 { tags.append([0x32, 0x2A, 0x0A][level % 3]) }
        var suffixes: [[UInt8]] = []
        var length = 0
        for tag in tags {
            var header = [tag]
            var rest = length
            repeat {
                header.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
                rest >>= 7
            } while rest > 0
            suffixes.append(header)
            length += header.count
        }
        for header in suffixes.reversed() { message.append(contentsOf: header) }
        var size: [UInt8] = []
        var rest = length
        repeat {
            size.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        let bytes = Data([0x3A] + size) + message
        #expect(throws: ModelError.self) { try use(bytes) }
    }

    @Test func `a model with many broken tensors is refused before they are allocated`() throws {
        var model = Samples.model([Samples.relu("x", "y")])
        for index in 0..<1000 {
            var tensor = ProtoTensor()
            tensor.name = "w\(index)"
            tensor.dataType = 1
            tensor.dims = [1 << 31]
            model.proto.graph.initializer.append(tensor)
        }
        let bytes = try model.serialized()
        #expect(throws: ModelError.invalidTensor("w0", .elementCount(expected: 1 << 31, actual: 0))) {
            try use(bytes)
        }
    }
}
