/// The rule for names of models, which stand in URLs (`/v1/models/NAME:predict`) and metric labels as they are.
enum ModelName {
    /// The most bytes of a name.
    static let maximumByteCount = 128
    /// The rule in words.
    static let rule =
        "a name has 1 to \(maximumByteCount) bytes, does not begin with a dot, and holds no blank, control "
        + "character or any of / : ? # % \\ \""

    /// Whether a name keeps the rule.
    static func isValid(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= maximumByteCount, !name.hasPrefix(".") else { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "/", ":", "?", "#", "%", "\\", "\"": false
            default: !scalar.properties.isWhitespace && !isControl(scalar)
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned: true
        default: false
        }
    }
}
