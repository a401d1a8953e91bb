import ArgumentParser
import FoundationEssentials
import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes a log as JSON Lines: one object a line with `time`, `level`, `logger`, `message` and the metadata as members.
///
/// A metadata key that is one of these gets an underscore. Nested metadata become their text.
struct JSONLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    private let label: String
    private let write: @Sendable (String) -> Void

    /// A log.
    ///
    /// - Parameters:
    ///   - label: The logger's name.
    ///   - write: Gets each line without its end; standard error if not given.
    init(label: String, write: @escaping @Sendable (String) -> Void = { StandardStream.error.say($0) }) {
        self.label = label
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    private static let reserved = ["time", "level", "logger", "message"]

    func log(event: LogEvent) {
        var members = [
            ("time", Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            ("level", event.level.rawValue), ("logger", label), ("message", "\(event.message)"),
        ]
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            members.append((Self.reserved.contains(key) ? key + "_" : key, "\(value)"))
        }
        let texts = members.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }
        write("{\(texts.joined(separator: ","))}")
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// How logs are written.
enum LogFormat: String, LosslessStringConvertible, Sendable, CaseIterable, ExpressibleByArgument {
    case text, json

    init?(_ description: String) { self.init(rawValue: description) }

    var description: String { rawValue }

    /// A log in this format on standard error.
    func handler(label: String) -> any LogHandler {
        switch self {
        case .text: StreamLogHandler.standardError(label: label)
        case .json: JSONLogHandler(label: label)
        }
    }
}
