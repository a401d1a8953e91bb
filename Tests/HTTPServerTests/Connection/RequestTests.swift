import Coding
import NIOHTTP1
import Testing

@testable import HTTPServer

@Suite struct RequestTests {
    @Test(
        arguments: [
            ("/", "/", nil), ("/a?b=c?d", "/a", "b=c?d"), ("/a?", "/a", ""), ("*", "*", nil),
            ("http://host:80/a/b?c", "/a/b", "c"), ("HTTP://host", "/", nil), ("https://host?x", "/", "x"),
        ] as [(String, String, String?)]
    )
    func `every form of a request target has a path`(uri: String, path: String, query: String?) throws {
        let target = try #require(RequestTarget(uri))
        #expect(target.path == path)
        #expect(target.query == query)
    }

    @Test(arguments: ["", "a", "host:443", "ftp://host/a", "?a"])
    func `other request targets are refused`(uri: String) {
        #expect(RequestTarget(uri) == nil)
    }

    @Test func `sane request ids are taken and others replaced`() {
        for id in ["a", "0f-9.A_:+/=", String(repeating: "x", count: 128)] {
            #expect(RequestID.isSane(id))
        }
        for id in ["", "a b", "a\"", "ä", "a\r\nb", String(repeating: "x", count: 129)] {
            #expect(!RequestID.isSane(id))
        }
    }

    @Test func `made request ids are sane and differ`() {
        var generator = RequestIDGenerator()
        let ids = (0..<1000).map { _ in generator.next() }
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { RequestID.isSane($0) && $0.utf8.count == 13 })
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
    ])
    func `dates have the fixed form of the standard`(second: Int, expected: String) {
        #expect(HTTPDate.format(second: second) == expected)
    }

    @Test func `percent encoding is decoded whole or not at all`() {
        #expect(decoded("a%20b+%C3%A4") == "a b+ä")
        for text in ["%", "%1", "%g0", "%00", "%0a", "%7f", "%c3", "%ed%a0%80"] {
            #expect(decoded(text) == nil)
        }
    }

    private func decoded(_ text: String) -> String? {
        var text = text
        return text.withUTF8 { PercentEncoding.decode($0) }
    }

    private func begin(_ headers: HTTPHeaders, method: HTTPMethod = .POST, uri: String = "/")
        throws(Rejection)
        -> RequestAssembler
    {
        var assembler = RequestAssembler(maxBodyBytes: 10)
        var generator = RequestIDGenerator()
        _ = try assembler.begin(
            HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers),
            generator: &generator
        )
        return assembler
    }

    @Test func `a head that breaks a rule is refused by the rule`() {
        #expect(throws: Rejection.malformed(reason: "exactly one Host field is required")) { try begin([:]) }
        #expect(throws: Rejection.malformed(reason: "exactly one Host field is required")) {
            try begin(["host": "a", "Host": "b"])
        }
        #expect(throws: Rejection.bodyTooLarge(limit: 10)) {
            try begin(["host": "a", "content-length": "11"])
        }
        #expect(throws: Rejection.unsupportedTransferCoding) {
            try begin(["host": "a", "transfer-encoding": "gzip, chunked"])
        }
        #expect(throws: Rejection.unsupportedExpectation) { try begin(["host": "a", "expect": "miracle"]) }
        #expect(throws: Rejection.malformed(reason: "the request target must begin with /")) {
            try begin(["host": "a"], method: .CONNECT, uri: "host:443")
        }
    }

    @Test func `a body is as long as its parts and at most as long as the limit`() throws {
        var assembler = try begin(["HOST": "a", "X-REQUEST-ID": "id-1", "Transfer-Encoding": "Chunked"])
        for part in ["12345", "", "67890"] { try assembler.append(.init(string: part)) }
        var tooLong = assembler
        #expect(throws: Rejection.bodyTooLarge(limit: 10)) { try tooLong.append(.init(string: "x")) }
        let finished = assembler.finish()
        let request = try #require(finished)
        #expect(String(buffer: request.body) == "1234567890")
        #expect(request.id == "id-1")
        #expect(!assembler.isReceiving)
    }
}
