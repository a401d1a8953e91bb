/// One segment's place in the tree of all templates.
struct RouteNode: Sendable {
    private struct Placeholder: Sendable {
        var name: String
        var suffix: String
        var node: RouteNode
    }

    private var routes: [Route] = []
    private var literals: [String: RouteNode] = [:]
    /// Longest suffix first.
    private var placeholders: [Placeholder] = []

    mutating func insert(_ route: Route, at segments: ArraySlice<PathTemplate.Segment>) {
        guard let segment = segments.first else {
            routes.append(route)
            return
        }
        switch segment {
        case .literal(let text):
            literals[text, default: RouteNode()].insert(route, at: segments.dropFirst())
        case .placeholder(let name, let suffix):
            let known = placeholders.firstIndex { $0.name == name && $0.suffix == suffix }
            if known == nil {
                placeholders.append(Placeholder(name: name, suffix: suffix, node: RouteNode()))
            }
            placeholders[known ?? placeholders.count - 1].node.insert(route, at: segments.dropFirst())
            placeholders.sort { $0.suffix.utf8.count > $1.suffix.utf8.count }
        }
    }

    /// The routes of the best template that fits.
    ///
    /// - Parameters:
    ///   - segments: What is left of the path, as it was sent.
    ///   - decoded: The same, percent-decoded, with the same indices; nil if there was nothing to decode.
    ///   - parameters: Gets what the placeholders caught.
    /// - Returns: Nil if no template fits. The recursion is as deep as the deepest template.
    func find(
        _ segments: ArraySlice<Substring>,
        decoded: [String?]?,
        parameters: inout PathParameters
    ) -> [Route]? {
        guard let segment = segments.first else { return routes.isEmpty ? nil : routes }
        let rest = segments.dropFirst()
        let text = decoded?[segments.startIndex] ?? String(segment)
        if let node = literals[text], let found = node.find(rest, decoded: decoded, parameters: &parameters) {
            return found
        }
        for placeholder in placeholders {
            guard let caught = Self.catchText(segment, before: placeholder.suffix) else { continue }
            parameters.append(name: placeholder.name, value: caught)
            if let found = placeholder.node.find(rest, decoded: decoded, parameters: &parameters) {
                return found
            }
            parameters.removeLast()
        }
        return nil
    }

    /// The suffix is looked for before decoding: an encoded `%3A` is part of a name.
    private static func catchText(_ segment: Substring, before suffix: String) -> String? {
        let length = suffix.utf8.count
        guard segment.utf8.count > length, segment.utf8.suffix(length).elementsEqual(suffix.utf8) else {
            return nil
        }
        let caught = Substring(segment.utf8.dropLast(length))
        return caught.utf8.contains(UInt8(ascii: ":")) ? nil : PercentEncoding.decode(caught)
    }
}
