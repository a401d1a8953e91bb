import Foundation
import Inference
import NIOCore
import Testing

@testable import HTTPAPI

@Suite struct HostileJSONTests {
    private static let bodies = [
        "{\"instances\": [[[1.5, -2e3], [0.25, 4]], {\"x\": [[1, 2]]}], \"outputs\": [\"a\\u00e9\\ud83d\\ude00\"]}",
        "{\"a\": [true, false, null, [], {}, \"\\n\\\"\", -0.0e-1, 18446744073709551615], \"é漢\": {\"b\": [[]]}}",
    ]

    private func fault(_ bytes: [UInt8]) -> BodyError? {
        BodyFixtures.error { () throws(BodyError) in
            try JSONParserPool.shared.withParsed(ByteBuffer(bytes: bytes), maxDepth: 32) { _ in }
        }
    }

    private func scannerFault(_ bytes: [UInt8]) -> BodyError? {
        bytes.withUnsafeBufferPointer { bytes in
            BodyFixtures.error { () throws(BodyError) in
                var scanner = JSONScanner(bytes, maxDepth: 32)
                try scanner.scan()
            }
        }
    }

    @Test func `a body cut at any byte is refused`() {
        for body in Self.bodies {
            let bytes = Array(body.utf8)
            #expect(fault(bytes) == nil)
            #expect(scannerFault(bytes) == nil)
            for end in 0..<bytes.count {
                let cut = Array(bytes[..<end])
                #expect(fault(cut) != nil)
                #expect(fault(cut) == scannerFault(cut), "cut at \(end)")
            }
        }
    }

    @Test func `the fast and the slow reader refuse the same texts`() throws {
        var generator = FixedGenerator(seed: 3)
        var accepted = 0
        let alphabet =
            Array("[]{},:\"\\ \n0123456789.eE+-tfnuNaIl\u{0}\u{1F}".utf8) + [0x80, 0xC3, 0xED, 0xFF]
        for _ in 0..<20_000 {
            var bytes = Array((Self.bodies.randomElement(using: &generator) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
                default: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            let fast = fault(bytes)
            let slow = scannerFault(bytes)
            #expect(fast == slow, "\(String(decoding: bytes, as: UTF8.self))")
            accepted += fast == nil ? 1 : 0
        }
        #expect(accepted > 100 && accepted < 19_000)
    }

    @Test func `nesting is allowed to the limit and no further`() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [1, 31, 32, 33, 34, 1000, 1_000_000] {
                let text =
                    String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
                let error = fault(Array(text.utf8))
                if depth <= 32 {
                    #expect(error == nil, "\(open) \(depth)")
                } else {
                    guard case .invalidJSON(.tooDeep(limit: 32), _) = error else {
                        Issue.record("\(open) \(depth): \(String(describing: error))")
                        continue
                    }
                }
            }
            let unclosed = fault(Array(String(repeating: open, count: 100_000).utf8))
            guard case .invalidJSON(.tooDeep(limit: 32), _) = unclosed else {
                Issue.record("unclosed: \(String(describing: unclosed))")
                continue
            }
        }
    }

    @Test(arguments: [
        ("", SyntaxFault.empty, ""),
        (" \n", .empty, ""),
        ("{\"instances\":[[[1,NaN]]]}", .nonFiniteNumber(offset: 18), "instances[0][0][1]"),
        ("{\"instances\":[[[1,-Infinity]]]}", .nonFiniteNumber(offset: 18), "instances[0][0][1]"),
        ("{\"instances\":[[[Infinity,1]]]}", .nonFiniteNumber(offset: 16), "instances[0][0][0]"),
        ("{\"instances\":[[[nan,1]]]}", .nonFiniteNumber(offset: 16), "instances[0][0][0]"),
        ("{\"instances\":[[[01,1]]]}", .invalidNumber(offset: 16), "instances[0][0][0]"),
        ("{\"instances\":[[[+1,1]]]}", .invalidNumber(offset: 16), "instances[0][0][0]"),
        ("{\"instances\":[[[1.,1]]]}", .invalidNumber(offset: 16), "instances[0][0][0]"),
        ("{\"instances\":[[[.5,1]]]}", .invalidNumber(offset: 16), "instances[0][0][0]"),
        ("{\"instances\":[[[1,,2]]]}", .unexpectedByte(offset: 18), "instances[0][0][1]"),
        ("{\"instances\":[[[1 2]]]}", .unexpectedByte(offset: 18), "instances[0][0][0]"),
        ("{\"instances\":[\"a\\ud800b\"]}", .invalidString(offset: 16), "instances[0]"),
        ("{\"instances\":[\"\\udc00\"]}", .invalidString(offset: 15), "instances[0]"),
        ("{\"instances\":[\"\\x\"]}", .invalidString(offset: 15), "instances[0]"),
        ("{\"instances\":[\"a\tb\"]}", .invalidString(offset: 16), "instances[0]"),
        ("{\"instances\":[1]} x", .trailingBytes(offset: 18), ""),
        ("{instances:1}", .unexpectedByte(offset: 1), ""),
        ("{\"instances\":[[[1,2]", .unexpectedEnd(offset: 20), "instances[0][0]"),
        ("nul", .unexpectedEnd(offset: 3), ""),
    ])
    func `a fault of syntax is named with its place`(_ text: String, _ expected: SyntaxFault, _ path: String)
    {
        let error = fault(Array(text.utf8))
        #expect(error == .invalidJSON(expected, at: error?.place ?? BodyPlace()))
        #expect(error?.place.path == path)
    }

    @Test func `bytes that are not UTF-8 are refused where they stand`() {
        for bad: [UInt8] in [
            [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xFF],
        ] {
            let error = fault(Array("[\"ab".utf8) + bad + Array("\"]".utf8))
            #expect(error == .invalidJSON(.invalidUTF8(offset: 4), at: BodyPlace([.index(0)])), "\(bad)")
        }
    }

    @Test func `huge numbers are refused or read, never trapped on`() throws {
        let decoder = InstancesDecoder(signature: BodyFixtures.features(1))
        for number in ["1e999999999", "-1e400", "1" + String(repeating: "0", count: 400)] {
            let error = BodyFixtures.error { () throws(BodyError) in
                try decoder.decode(ByteBuffer(string: "{\"instances\":[[[\(number)]]]}"))
            }
            #expect(error?.message == InputRule.outOfFloatRange.description)
            #expect(error?.place.path == "instances[0][0][0]")
        }
        for number in ["1e-999999999", "0e999999999", "0." + String(repeating: "3", count: 5000)] {
            _ = try decoder.decode(ByteBuffer(string: "{\"instances\":[[[\(number)]]]}"))
        }
    }

    @Test func `a key cannot spoil the place`() {
        let place = BodyPlace([
            .key("a\"b\n"), .index(2), .key("plain"), .key(String(repeating: "k", count: 500)),
        ])
        #expect(place.path.hasPrefix("[\"a\\\"b?\"][2].plain[\"kkk"))
        #expect(place.path.count < 100)
    }

    @Test func `a parser is used again after a fault`() throws {
        let decoder = InstancesDecoder(signature: BodyFixtures.features(2))
        let good = ByteBuffer(string: "{\"instances\":[[[1,2]]]}")
        let expected = try decoder.decode(good)
        for body in Self.bodies {
            for end in stride(from: 0, to: body.utf8.count, by: 3) {
                _ = BodyFixtures.error { () throws(BodyError) in
                    try decoder.decode(ByteBuffer(bytes: Array(body.utf8.prefix(end))))
                }
                #expect(try decoder.decode(good) == expected)
            }
        }
    }
}
