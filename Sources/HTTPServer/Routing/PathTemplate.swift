/// A path with placeholders, such as `/v1/models/{model}/versions/{version}:predict`.
///
/// A segment is a literal, or a placeholder that catches one whole segment, or a placeholder and a literal
/// behind it that catches what stands before that literal. A placeholder never catches nothing, nor a `:`, which
/// sets a verb apart (`%3A` is caught).
public struct PathTemplate: Sendable, Hashable, CustomStringConvertible {
    enum Segment: Sendable, Hashable {
        case literal(String)
        case placeholder(name: String, suffix: String)
    }

    /// The template as it was written.
    public let description: String
    let segments: [Segment]

    /// Reads a template.
    ///
    /// - Parameter text: Begins with `/`. A placeholder is a name in braces at the start of a segment.
    public init(_ text: String) {
        description = text
        segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(Self.segment)
    }

    private static func segment(_ text: Substring) -> Segment {
        guard text.hasPrefix("{"), let close = text.firstIndex(of: "}") else { return .literal(String(text)) }
        return .placeholder(
            name: String(text[text.index(after: text.startIndex)..<close]),
            suffix: String(text[text.index(after: close)...])
        )
    }
}

extension PathTemplate: ExpressibleByStringLiteral {
    /// A template from a literal.
    ///
    /// - Parameter value: The template's text.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}
