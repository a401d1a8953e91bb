import Coding
import NIOCore
import NIOHTTP1

/// Puts the parts of one request together and holds them against the limits; pure, no input or output.
struct RequestAssembler {
    /// What the connection has to know of a request besides the request.
    struct Head {
        var keepAlive: Bool
        var isHead: Bool
        var isVersion10: Bool
        var requestID: String
        /// What the body is compressed with.
        var contentCoding: ContentCoding?
        /// What the answer may be compressed with.
        var acceptedCoding: ContentCoding?

        /// What a browser has to know, if the server says anything to browsers.
        var question: CORSPolicy.Question?

        /// Whether bodies go in and out as they are.
        var isPlain: Bool { contentCoding == nil && acceptedCoding == nil }
    }

    /// What a head asks for before its body.
    struct HeadAction: Equatable {
        /// Whether the client waits for `100 Continue`.
        var sendsContinue = false
        /// Whether the request is to be taken by ``RequestAssembler/takeStreamed()`` now.
        var isStreamed = false
    }

    private let maxBodyBytes: Int
    private let compresses: Bool
    private let readsOrigin: Bool
    private var announcesBody = false
    /// What a client takes, which it says with every request.
    private var lastAcceptEncoding: (field: String, preferred: ContentCoding?) = ("", nil)
    private var request: HTTPRequest?
    /// The request that is being received, or was last.
    private(set) var head = Head(keepAlive: false, isHead: false, isVersion10: false, requestID: "")

    init(maxBodyBytes: Int, compresses: Bool = false, readsOrigin: Bool = false) {
        self.readsOrigin = readsOrigin
        self.maxBodyBytes = maxBodyBytes
        self.compresses = compresses
    }

    /// Whether a head has come and its end has not.
    var isReceiving: Bool { request != nil }
    /// The request that is being received, if it has a body.
    var announced: HTTPRequest? { announcesBody ? request : nil }
    /// How much of the body has come.
    var bodyBytes: Int { request?.body.readableBytes ?? 0 }

    /// Begins a request.
    mutating func begin(
        _ message: HTTPRequestHead,
        generator: inout RequestIDGenerator,
        wantsStream: (HTTPRequest) -> Bool = { _ in false }
    ) throws(Rejection) -> HeadAction {
        let fields = FieldSummary(message.headers)
        head = Head(
            keepAlive: message.isKeepAlive && !fields.asksForUpgrade,
            isHead: message.method == .HEAD,
            isVersion10: message.version.minor == 0,
            requestID: fields.requestID ?? generator.next()
        )
        if readsOrigin, let origin = fields.origin {
            head.question = CORSPolicy.Question(
                origin: origin,
                isPreflight: message.method == .OPTIONS && fields.asksForMethod
            )
        }
        announcesBody = fields.contentLength ?? 0 > 0 || fields.transferEncoding != nil
        guard message.version.major == 1 else { throw .unsupportedVersion }
        guard fields.hostCount == 1 || (fields.hostCount == 0 && head.isVersion10) else {
            throw .malformed(reason: "exactly one Host field is required")
        }
        if let coding = fields.transferEncoding, coding.lowercased() != "chunked" {
            throw .unsupportedTransferCoding
        }
        if let field = fields.contentEncoding {
            switch ContentCoding.applied(field) {
            case .nothing: break
            case .known(let coding): head.contentCoding = coding
            case .unknown: throw .unsupportedContentCoding
            }
        }
        if compresses, let field = fields.acceptEncoding {
            if field != lastAcceptEncoding.field {
                lastAcceptEncoding = (field, ContentCoding.preferred(field))
            }
            head.acceptedCoding = lastAcceptEncoding.preferred
        }
        guard let target = RequestTarget(message.uri), message.method != .CONNECT else {
            throw .malformed(reason: "the request target must begin with /")
        }
        var action = HeadAction()
        if let expectation = fields.expectation, !head.isVersion10 {
            guard expectation.lowercased() == "100-continue" else { throw .unsupportedExpectation }
            action.sendsContinue = true
        }
        let begun = HTTPRequest(
            method: message.method,
            path: target.path,
            query: target.query,
            headers: message.headers,
            id: head.requestID
        )
        let isLong = fields.transferEncoding != nil || (fields.contentLength ?? 0) > StreamedInput.minBytes
        action.isStreamed = isLong && wantsStream(begun)
        if !action.isStreamed, let length = fields.contentLength, length > maxBodyBytes {
            throw .bodyTooLarge(limit: maxBodyBytes)
        }
        request = begun
        return action
    }

    /// Adds a part of the body; the first one is not copied.
    mutating func append(_ part: ByteBuffer) throws(Rejection) {
        let length = request?.body.readableBytes ?? 0
        guard part.readableBytes <= maxBodyBytes - length else {
            request = nil
            throw .bodyTooLarge(limit: maxBodyBytes)
        }
        if length == 0 {
            request?.body = part
        } else {
            request?.body.writeImmutableBuffer(part)
        }
    }

    /// Forgets the last request's head, so that a failure after its answer does not look like its own.
    mutating func clearHead() {
        head = Head(keepAlive: false, isHead: false, isVersion10: false, requestID: "")
    }

    /// Ends the request; nil if none was begun.
    mutating func finish() -> HTTPRequest? {
        request.take()
    }
}

/// The header fields that concern the connection, found in one pass.
struct FieldSummary: ~Copyable {
    private(set) var hostCount = 0
    private(set) var contentLength: Int?
    private(set) var transferEncoding: String?
    private(set) var contentEncoding: String?
    private(set) var acceptEncoding: String?
    private(set) var expectation: String?
    private(set) var requestID: String?
    private(set) var origin: String?
    private(set) var asksForMethod = false
    private(set) var asksForUpgrade = false

    init(_ headers: HTTPHeaders) {
        for (name, value) in headers {
            switch name.utf8.count {
            case 4 where FieldName.equal(name, "host"): hostCount += 1
            case 6 where FieldName.equal(name, "expect"): expectation = value
            case 6 where FieldName.equal(name, "origin"): origin = value
            case 7 where FieldName.equal(name, "upgrade"): asksForUpgrade = true
            case 12 where FieldName.equal(name, "x-request-id"):
                if RequestID.isSane(value) { requestID = value }
            case 14 where FieldName.equal(name, "content-length"): contentLength = Int(value)
            case 15 where FieldName.equal(name, "accept-encoding"):
                acceptEncoding = acceptEncoding.map { "\($0),\(value)" } ?? value
            case 16 where FieldName.equal(name, "content-encoding"):
                contentEncoding = contentEncoding.map { "\($0),\(value)" } ?? value
            case 17 where FieldName.equal(name, "transfer-encoding"):
                transferEncoding = transferEncoding.map { "\($0),\(value)" } ?? value
            case 29 where FieldName.equal(name, "access-control-request-method"): asksForMethod = true
            default: break
            }
        }
    }
}

/// Path and query of a request line.
struct RequestTarget {
    let path: String
    let query: String?

    /// Reads the origin form (`/path?query`), the absolute form (`http://host/path`) and `*`; nil for others.
    init?(_ uri: String) {
        if uri.utf8.first == UInt8(ascii: "/"), !uri.utf8.contains(UInt8(ascii: "?")) {
            path = uri
            query = nil
            return
        }
        var text = uri[...]
        if text.utf8.first != UInt8(ascii: "/"), text != "*" {
            guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) })
            else {
                return nil
            }
            text = Substring(text.utf8.dropFirst(scheme.utf8.count))
            text =
                text.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }.map {
                    text[$0...]
                } ?? "/"
            if text.utf8.first == UInt8(ascii: "?") { text = "/" + text }
        }
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            path = text.utf8.count == uri.utf8.count ? uri : String(text)
            query = nil
            return
        }
        path = String(text[..<mark])
        query = String(text[text.index(after: mark)...])
    }
}
