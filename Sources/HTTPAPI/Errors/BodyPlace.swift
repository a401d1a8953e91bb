/// A place in a body: a line of a text body, and the way from there to a value.
public struct BodyPlace: Hashable, Sendable {
    /// One step into a container.
    public enum Step: Hashable, Sendable {
        /// The member of an object.
        case key(String)
        /// The element of an array, from 0.
        case index(Int)
    }

    /// The steps from the outermost value inwards; empty for the body or line itself.
    public var steps: [Step]
    /// The line, from 1; nil for a body that is one JSON text.
    public var line: Int?

    /// A place.
    ///
    /// - Parameters:
    ///   - steps: From the outermost value inwards.
    ///   - line: From 1, in a text body.
    public init(_ steps: [Step] = [], line: Int? = nil) {
        self.steps = steps
        self.line = line
    }

    /// The steps as in JavaScript: `instances[3][7]`; empty for the body or line itself.
    ///
    /// Keys that are not plain names are quoted; long ones are cut to 64 characters.
    public var path: String {
        var text = ""
        for step in steps {
            switch step {
            case .index(let index): text += "[\(index)]"
            case .key(let key) where Self.isPlain(key): text += text.isEmpty ? key : ".\(key)"
            case .key(let key): text += "[\"\(Self.quoted(key))\"]"
            }
        }
        return text
    }

    func inside(_ step: Step) -> BodyPlace { BodyPlace([step] + steps, line: line) }
    func onLine(_ line: Int) -> BodyPlace { BodyPlace(steps, line: line) }

    private static func isPlain(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= 64
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    private static func quoted(_ key: String) -> String {
        var text = ""
        for scalar in key.unicodeScalars.prefix(64) {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension BodyPlace: CustomStringConvertible {
    /// Line and path: `line 3, sequence[7]`.
    public var description: String {
        guard let line else { return path }
        return steps.isEmpty ? "line \(line)" : "line \(line), \(path)"
    }
}
