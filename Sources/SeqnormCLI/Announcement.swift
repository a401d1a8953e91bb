import Inference
import Serving

/// What a server says on standard output when it starts: where it listens, what it serves, what to try.
struct Announcement: Sendable {
    private let base: String
    private let place: String
    private let curl: String
    private let host: String
    private let say: @Sendable (String) -> Void

    /// The lines of a server.
    ///
    /// - Parameters:
    ///   - host: What it was told to listen on; an address that means all interfaces is shown as loopback.
    ///   - port: The port that is bound.
    ///   - isSecure: Whether connections are encrypted.
    ///   - unixSocket: The path that is listened on instead of host and port.
    ///   - say: Gets the lines; standard output if not given.
    init(
        host: String,
        port: Int,
        isSecure: Bool = false,
        unixSocket: String? = nil,
        say: @escaping @Sendable (String) -> Void = { StandardStream.output.say($0) }
    ) {
        self.say = say
        let shown = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        self.host = shown.contains(":" as Character) ? "[\(shown)]" : shown
        let scheme = isSecure ? "https" : "http"
        base = unixSocket == nil ? "\(scheme)://\(self.host):\(port)" : "\(scheme)://localhost"
        place = unixSocket.map { "unix:\($0)" } ?? base
        curl = unixSocket.map { "curl --unix-socket \($0)" } ?? "curl"
    }

    /// Says where the server listens and which models it is loading.
    ///
    /// - Parameters:
    ///   - status: The models.
    ///   - adminPort: The port of metrics and control, if it is one of its own.
    func printListening(_ status: [ModelStatus], adminPort: Int? = nil) {
        let names = status.map { "\($0.name)/\($0.version)" }.joined(separator: ", ")
        say("seqnorm \(Seqnorm.version) listening on \(place), loading \(names)")
        if let adminPort { say("  metrics and control on http://\(host):\(adminPort)") }
    }

    /// Says of each model what it takes and gives, or why it cannot be served, and one line to try.
    func printModels(_ repository: ModelRepository) {
        var tokens: String?
        var features: String?
        for status in repository.status {
            let place = "\(status.name)/\(status.version)"
            switch status.state {
            case .loading: say("  \(place): loading")
            case .failed(let reason): say("  \(place): cannot be served: \(reason)")
            case .ready:
                guard let model = try? repository.model(named: status.name, version: status.version) else {
                    continue
                }
                let signature = model.sequenceModel.signature
                say("  \(place): \(Self.summary(signature))")
                if let limit = model.lengthLimit {
                    say("  \(place): warning: \(limit)\(limit.hint.map { "; \($0)" } ?? "")")
                }
                let body = #"{"instances": [\#(Self.example(signature))]}"#
                let line = "\(curl) --json '\(body)' \(base)/v1/models/\(status.name):predict"
                if signature.sequence.kind == .tokens {
                    tokens = tokens ?? line
                } else {
                    features = features ?? line
                }
            }
        }
        if let line = tokens ?? features { say("try: \(line)") }
    }

    private static func summary(_ signature: Signature) -> String {
        let takes =
            switch signature.sequence.kind {
            case .features(_, let channels): "\(channels) numbers a position"
            case .tokens: signature.alphabet == nil ? "token ids" : "letters or token ids"
            }
        return "\(takes) to \(signature.outputs.map(\.name).joined(separator: ", "))"
    }

    /// One short sequence the model takes, as JSON.
    private static func example(_ signature: Signature) -> String {
        switch signature.sequence.kind {
        case .features(_, let channels):
            "[[\(Array(repeating: "0.5", count: channels).joined(separator: ","))]]"
        case .tokens:
            if let letters = signature.alphabet?.ids.keys.sorted(), letters.allSatisfy(Self.isPlain) {
                "\"\(letters.prefix(12).joined())\""
            } else {
                "[0]"
            }
        }
    }

    private static func isPlain(_ letter: String) -> Bool {
        letter.utf8.count == 1 && letter.allSatisfy { $0.isLetter || $0.isNumber }
    }
}
