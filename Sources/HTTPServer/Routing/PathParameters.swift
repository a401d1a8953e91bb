/// What the placeholders of a path template caught, percent-decoded.
public struct PathParameters: Sendable, Equatable {
    private var pairs: [Pair] = []

    private struct Pair: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// No parameters.
    public init() {}

    /// The text a placeholder caught.
    ///
    /// - Parameter name: The placeholder's name, without braces.
    /// - Returns: Nil if the template has no such placeholder.
    public subscript(name: String) -> String? {
        pairs.first { $0.name == name }?.value
    }

    mutating func append(name: String, value: String) {
        pairs.append(Pair(name: name, value: value))
    }

    mutating func removeLast() {
        pairs.removeLast()
    }
}
