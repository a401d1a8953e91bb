import HTTPServer
import NIOHTTP1

/// The media types of bodies, and what a request says of them.
enum MediaType: String, CaseIterable {
    case json = "application/json"
    case jsonLines = "application/x-ndjson"
    case fasta = "text/x-fasta"

    /// What `curl --data` says of any body when it is not told better.
    private static let curlDefault = "application/x-www-form-urlencoded"

    /// The media type of a request's body.
    ///
    /// A body without one is JSON, and so is one that `curl --data` sends: no route takes a form.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - supported: What the route takes.
    /// - Throws: ``RouteFault/unsupportedMediaType(supported:)`` or ``RouteFault/unsupportedContentCoding``.
    init(ofBodyIn request: HTTPRequest, supported: [MediaType]) throws(RouteFault) {
        if let coding = request.headers.first(name: "content-encoding"), coding.lowercased() != "identity" {
            throw .unsupportedContentCoding
        }
        guard let text = request.headers.first(name: "content-type") else {
            self = .json
            return
        }
        // As nearly every client writes it; anything else is looked at more closely.
        if let type = MediaType(rawValue: text), supported.contains(type) {
            self = type
            return
        }
        let name = Self.trimmed(text.prefix { $0 != ";" })
        guard let type = name == Self.curlDefault ? .json : MediaType(rawValue: name),
            supported.contains(type)
        else {
            throw .unsupportedMediaType(supported: supported.map(\.rawValue))
        }
        self = type
    }

    /// Whether a body says that it is JSON Lines, compressed or not.
    static func isJSONLines(_ headers: HTTPHeaders) -> Bool {
        guard let text = headers.first(name: "content-type") else { return false }
        return trimmed(text.prefix { $0 != ";" }) == MediaType.jsonLines.rawValue
    }

    /// Makes sure that a client takes an answer of this type.
    ///
    /// - Parameter headers: Of the request; without `Accept` everything is taken.
    /// - Throws: ``RouteFault/notAcceptable(supported:)``.
    func checkAccepted(by headers: HTTPHeaders) throws(RouteFault) {
        // As curl and most clients write it; anything else is looked at more closely.
        guard let first = headers.first(name: "accept"), first != "*/*" else { return }
        let group = rawValue.prefix { $0 != "/" } + "/*"
        for range in headers[canonicalForm: "accept"] {
            let parts = range.split(separator: ";").map(Self.trimmed)
            guard let name = parts.first, name == rawValue || name == group || name == "*/*" else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            if quality != 0 { return }
        }
        throw .notAcceptable(supported: [rawValue])
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var bytes = text.utf8.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return Substring(bytes).lowercased()
    }
}
