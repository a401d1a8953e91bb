/// A piece of HTML or SVG; text that goes in is escaped, so that no name of a file can become markup.
struct Markup {
    private(set) var text = ""

    /// Adds markup that is known to be well-formed.
    mutating func raw(_ markup: String) { text += markup }

    /// Adds text.
    mutating func write(_ words: String) { text += Self.escaped(words) }

    /// Adds an element with its content.
    mutating func element(
        _ name: String,
        _ attributes: [(String, String)] = [],
        content: (inout Markup) -> Void
    ) {
        open(name, attributes)
        content(&self)
        text += "</\(name)>"
    }

    /// Adds an element that holds words.
    mutating func element(_ name: String, _ attributes: [(String, String)], _ words: String) {
        element(name, attributes) { $0.write(words) }
    }

    /// Adds an element without attributes that holds words.
    mutating func element(_ name: String, _ words: String) { element(name, [], words) }

    /// Adds an element of SVG without content.
    mutating func empty(_ name: String, _ attributes: [(String, String)]) {
        open(name, attributes, end: "/>")
    }

    private mutating func open(_ name: String, _ attributes: [(String, String)], end: String = ">") {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
        text += end
    }

    /// The text with `& < > " '` written as references, and control characters replaced.
    static func escaped(_ words: String) -> String {
        var result = ""
        result.reserveCapacity(words.utf8.count)
        for scalar in words.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
