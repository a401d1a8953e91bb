import HTTPServer
import NIOHTTP1
import Testing

@testable import HTTPAPI

@Suite struct MediaTypeTests {
    private func type(_ headers: HTTPHeaders) throws(RouteFault) -> MediaType {
        try MediaType(
            ofBodyIn: HTTPRequest(method: .POST, path: "/", headers: headers),
            supported: [.json, .fasta]
        )
    }

    @Test func `a body has the type it says and is json if it says nothing`() throws {
        #expect(try type([:]) == .json)
        #expect(try type(["content-type": "Application/JSON; charset=utf-8"]) == .json)
        #expect(try type(["Content-Type": " text/x-fasta ;a=b"]) == .fasta)
        #expect(try type(["Content-Encoding": "identity"]) == .json)
    }

    @Test func `the type curl gives any body stands for json`() throws {
        #expect(try type(["content-type": "application/x-www-form-urlencoded"]) == .json)
    }

    @Test(arguments: ["", "json", "text/plain", "application/x-ndjson", "application/json2", "*/*"])
    func `another type is refused`(text: String) {
        let supported = [MediaType.json.rawValue, MediaType.fasta.rawValue]
        #expect(throws: RouteFault.unsupportedMediaType(supported: supported)) {
            try type(["content-type": text])
        }
    }

    @Test func `a compressed body is refused`() {
        #expect(throws: RouteFault.unsupportedContentCoding) { try type(["content-encoding": "gzip"]) }
    }

    @Test(arguments: [
        "application/json", "*/*", "application/*", "text/html, application/json;q=0.1", "APPLICATION/JSON",
        "text/html;q=1 , */* ; q=0.8",
    ])
    func `an accept that has room for json takes it`(accept: String) throws {
        try MediaType.json.checkAccepted(by: ["accept": accept])
    }

    @Test(arguments: ["text/html", "application/json;q=0", "application/xml, text/*", "application/jsonx"])
    func `an accept without room for json refuses it`(accept: String) {
        #expect(throws: RouteFault.notAcceptable(supported: ["application/json"])) {
            try MediaType.json.checkAccepted(by: ["accept": accept])
        }
    }
}
