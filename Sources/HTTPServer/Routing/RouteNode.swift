/// One segment's place in the tree of all templates; immutable.
final class RouteNode: Sendable {
    private struct Literal: Sendable {
        let text: String
        let node: RouteNode
    }

    private struct Placeholder: Sendable {
        let name: String
        let suffix: String
        let node: RouteNode
    }

    private let routes: [Route]
    private let literals: [Literal]
    /// Longest suffix first.
    private let placeholders: [Placeholder]

    /// The tree of some routes.
    ///
    /// - Parameters:
    ///   - routes: All have the same segments up to `depth`; the last one of a verb counts.
    ///   - depth: How many segments lie behind.
    init(_ routes: [Route], depth: Int = 0) {
        self.routes = routes.filter { $0.template.segments.count == depth }
        var groups: [(segment: PathTemplate.Segment, routes: [Route])] = []
        for route in routes where route.template.segments.count > depth {
            let segment = route.template.segments[depth]
            if let known = groups.firstIndex(where: { $0.segment == segment }) {
                groups[known].routes.append(route)
            } else {
                groups.append((segment, [route]))
            }
        }
        var literals: [Literal] = []
        var placeholders: [Placeholder] = []
        for (segment, routes) in groups {
            let node = RouteNode(routes, depth: depth + 1)
            switch segment {
            case .literal(let text): literals.append(Literal(text: text, node: node))
            case .placeholder(let name, let suffix):
                placeholders.append(Placeholder(name: name, suffix: suffix, node: node))
            }
        }
        self.literals = literals
        self.placeholders = placeholders.sorted { $0.suffix.utf8.count > $1.suffix.utf8.count }
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
        if let node = literal(segment, decoded?[segments.startIndex]),
            let found = node.find(rest, decoded: decoded, parameters: &parameters)
        {
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

    /// Literals are few: comparing them all is less than hashing one text.
    private func literal(_ segment: Substring, _ decoded: String?) -> RouteNode? {
        literals.first { literal in
            if let decoded { literal.text == decoded } else { literal.text == segment }
        }?.node
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
