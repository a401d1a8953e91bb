import Foundation
import Safetensors
import TensorCore
import TestSupport
import Testing

struct HostileFileTests {
    @Test func `a file cut anywhere is refused`() throws {
        let bytes = try SafetensorsFileTests.sample().serialized()
        for count in 0..<bytes.count {
            #expect(throws: SafetensorsError.self) { try SafetensorsFile(serialized: bytes.prefix(count)) }
        }
    }

    @Test(arguments: 0..<40) func `changed bytes are read or refused, never worse`(seed: Int) throws {
        var random = SplitMix(seed: seed)
        let original = try SafetensorsFileTests.sample().serialized()
        for _ in 0..<100 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : 0x39
            }
            guard let file = try? SafetensorsFile(serialized: bytes) else { continue }
            let again = try SafetensorsFile(serialized: file.serialized())
            #expect(again == file)
        }
    }

    @Test(arguments: [UInt64.max, 1 << 63, 100_000_001]) func `an absurd header length is refused`(
        claim: UInt64
    ) {
        let bytes = withUnsafeBytes(of: claim.littleEndian) { Data($0) } + Data(repeating: 0x7B, count: 64)
        #expect(throws: SafetensorsError.headerTooLong(byteCount: claim, limit: 100_000_000)) {
            try SafetensorsFile(serialized: bytes)
        }
    }

    @Test func `a header length beyond the file is refused`() {
        let bytes = withUnsafeBytes(of: UInt64(99_999_999).littleEndian) { Data($0) } + Data("{}".utf8)
        #expect(throws: SafetensorsError.truncatedHeader) { try SafetensorsFile(serialized: bytes) }
    }

    private static func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
        #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    private static let two = entry("a", "U8", "[2]", "[0,2]")

    static let faults: [(String, SafetensorsError)] = [
        ("{\(two),\(two)}", .duplicateName("a")),
        (#"{"__metadata__":{"k":"1","k":"2"},\#(two)}"#, .duplicateName("k")),
        ("{\(entry("a", "F8_E4M3", "[2]", "[0,2]"))}", .unknownElementType("F8_E4M3", tensor: "a")),
        ("{\(entry("a", "U8", "[2]", "[2,0]"))}", .outOfBounds(tensor: "a")),
        ("{\(entry("a", "U8", "[3]", "[0,3]"))}", .outOfBounds(tensor: "a")),
        ("{\(entry("a", "U8", "[1]", "[0,1]"))}", .trailingBytes(1)),
        ("{\(two),\(entry("b", "U8", "[1]", "[1,2]"))}", .notContiguous(tensor: "b")),
        ("{\(entry("a", "U8", "[1]", "[1,2]"))}", .notContiguous(tensor: "a")),
        ("{\(entry("a", "U8", "[3]", "[0,2]"))}", .byteCount(tensor: "a", expected: 3, actual: 2)),
        ("{\(entry("a", "BOOL", "[2]", "[0,2]"))}", .invalidBool(tensor: "a")),
        (
            "{\(entry("a", "F64", "[4294967296,4294967296,0]", "[0,0]"))}",
            .invalidShape(.tooLarge(dimensions: [1 << 32, 1 << 32, 0]), tensor: "a")
        ),
        (
            "{\(entry("a", "U8", "[1,1,1,1,1,1,1,1,2]", "[0,2]"))}",
            .invalidShape(.rankTooHigh(rank: 9, limit: 8), tensor: "a")
        ),
        (#"{"a":{"dtype":"U8","shape":[2]}}"#, .missingProperty("data_offsets", tensor: "a")),
        (#"{"a":{"dtype":"U8","data_offsets":[0,2]}}"#, .missingProperty("shape", tensor: "a")),
        (#"{"a":{"shape":[2],"data_offsets":[0,2]}}"#, .missingProperty("dtype", tensor: "a")),
        ("{\(entry("a", "U8", "[2]", "[0,1,2]"))}", .missingProperty("data_offsets", tensor: "a")),
        ("{\(entry("a", "U8", "[-2]", "[0,2]"))}", .malformedHeader(.unexpectedByte, offset: 28)),
        (
            "{\(entry("a", "U8", "[99999999999999999999]", "[0,2]"))}",
            .malformedHeader(.numberOutOfRange, offset: 46)
        ),
        ("{\(entry("a", "U8", "[02]", "[0,2]"))}", .malformedHeader(.unexpectedByte, offset: 30)),
        (#"{"a":{"dtype":"U8","dtype":"U8"}}"#, .malformedHeader(.unknownProperty, offset: 27)),
        (#"{"a":[]}"#, .malformedHeader(.unexpectedByte, offset: 5)),
        (#"{"a\x"}"#, .malformedHeader(.invalidString, offset: 5)),
        (#"{"\ud800"}"#, .malformedHeader(.invalidString, offset: 8)),
        ("{}}", .malformedHeader(.unexpectedByte, offset: 2)),
        ("{", .malformedHeader(.unexpectedEnd, offset: 1)),
        ("[]", .malformedHeader(.unexpectedByte, offset: 0)),
        ("", .malformedHeader(.unexpectedEnd, offset: 0)),
    ]

    @Test(arguments: faults) func `a faulty header is refused and its fault named`(
        header: String,
        fault: SafetensorsError
    ) {
        #expect(throws: fault) {
            try SafetensorsFile(serialized: SafetensorsFileTests.file(header, elements: [7, 7]))
        }
    }

    @Test func `names that are not UTF-8 are refused`() {
        let header = Data(#"{""#.utf8) + Data([0xFF]) + Data(#"":{}}"#.utf8)
        let bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        #expect(throws: SafetensorsError.malformedHeader(.invalidString, offset: 4)) {
            try SafetensorsFile(serialized: bytes)
        }
    }

    @Test func `a deeply nested header needs no stack`() {
        let header = String(repeating: #"{"a":"#, count: 1_000_000)
        #expect(throws: SafetensorsError.self) {
            try SafetensorsFile(serialized: SafetensorsFileTests.file(header))
        }
    }
}
