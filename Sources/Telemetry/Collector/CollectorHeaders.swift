import Coding
import FoundationEssentials

/// Header fields that go with every message to a collector, a key for example.
///
/// They may be secrets, so they have no description that shows them.
///
/// - SeeAlso: OpenTelemetry protocol exporter, Specifying headers via environment variables; W3C Baggage, section 3.3.1.
public struct CollectorHeaders: Equatable, Sendable, CustomStringConvertible {
    /// What is wrong with a list of fields; says no value.
    public struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// Place and rule in one line.
        public let description: String
    }

    /// What this side says itself.
    private static let own: Set<String> = [
        "host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection",
        "user-agent",
    ]

    /// In the order of the list.
    let fields: [(name: String, value: String)]

    /// No fields.
    public init() { fields = [] }

    /// Reads a list of fields.
    ///
    /// - Parameter list: `NAME=VALUE,NAME=VALUE`, values percent-encoded where they hold a comma or a space; spaces around
    ///   names and values do not count.
    /// - Throws: ``Fault``.
    public init(_ list: String) throws(Fault) {
        var fields: [(name: String, value: String)] = []
        for (index, item) in list.split(separator: ",").enumerated() {
            let halves = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map(Self.trimmed)
            guard halves.count == 2 else {
                throw Fault(description: "item \(index + 1) must be NAME=VALUE")
            }
            let name = halves[0]
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
                throw Fault(description: "item \(index + 1) has no valid name of a header field")
            }
            guard !Self.own.contains(name.lowercased()) else {
                throw Fault(description: "\(name) is set by the exporter itself")
            }
            guard let value = Self.decoded(halves[1]) else {
                throw Fault(description: "the value of \(name) must be printable ASCII, percent-encoded")
            }
            fields.append((name, value))
        }
        self.fields = fields
    }

    private static func trimmed(_ part: Substring) -> String {
        let isSpace = { (letter: Character) in letter == " " || letter == "\t" }
        return String(String(part.drop(while: isSpace)).reversed().drop(while: isSpace).reversed())
    }

    /// A value without its percent-encoding; nil if that is wrong, or hides what no value may have.
    private static func decoded(_ value: String) -> String? {
        var value = value
        guard let decoded = value.withUTF8({ PercentEncoding.decode($0) }),
            decoded.utf8.allSatisfy(isValueByte)
        else { return nil }
        return decoded
    }

    /// How many fields there are.
    public var description: String { "\(fields.count) header field\(fields.count == 1 ? "" : "s")" }

    /// Equal fields in equal order.
    public static func == (one: Self, other: Self) -> Bool {
        one.fields.elementsEqual(other.fields) { $0 == $1 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isValueByte(_ byte: UInt8) -> Bool { (0x20...0x7e).contains(byte) }
}
