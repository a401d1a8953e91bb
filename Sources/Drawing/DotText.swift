/// Text within double quotes of Graphviz's dot language.
enum DotText {
    /// The most letters of a name that are shown.
    static let longestName = 40

    /// A text in quotes, so that dot reads it as nothing but text.
    ///
    /// Quotes and backslashes are escaped, and so are ampersands, as dot reads entities such as `&lt;`. What cannot be
    /// shown becomes a blank box.
    ///
    /// - Parameter lines: Lines of text.
    /// - Returns: A quoted string of dot, its lines centred.
    static func quoted(_ lines: [String]) -> String {
        "\"" + lines.map(escaped).joined(separator: "\\n") + "\""
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
                    .unassigned:
                    result += "\u{25A1}"
                default: result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }

    /// A name short enough to be shown: its end, as that is what tells one from another.
    static func shortened(_ name: String) -> String {
        name.count <= longestName ? name : "…" + name.suffix(longestName - 1)
    }
}
