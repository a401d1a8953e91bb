/// One segment's place in the tree of all templates; immutable.
final class RouteNode: Sendable {
    private struct Literal: Sendable {
        let text: [UInt8]
        let node: RouteNode
    }

    private struct Placeholder: Sendable {
        let name: String
        let suffix: [UInt8]
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
            case .literal(let text): literals.append(Literal(text: Array(text.utf8), node: node))
            case .placeholder(let name, let suffix):
                placeholders.append(Placeholder(name: name, suffix: Array(suffix.utf8), node: node))
            }
        }
        self.literals = literals
        self.placeholders = placeholders.sorted { $0.suffix.count > $1.suffix.count }
    }

    /// The routes of the best template that fits.
    ///
    /// Compared by bytes: what a template's literals and placeholders are made of never shares one with a slash.
    ///
    /// - Parameters:
    ///   - path: What is left of the path, as it was sent, from behind a slash; nil behind the last segment.
    ///   - parameters: Gets what the placeholders caught.
    /// - Returns: Nil if no template fits. The recursion is as deep as the deepest template.
    func find(_ path: UnsafeBufferPointer<UInt8>?, parameters: inout PathParameters) -> [Route]? {
        guard let path else { return routes.isEmpty ? nil : routes }
        let end = path.firstIndex(of: UInt8(ascii: "/"))
        let segment = UnsafeBufferPointer(rebasing: path[..<(end ?? path.endIndex)])
        let rest = end.map { UnsafeBufferPointer(rebasing: path[($0 + 1)...]) }
        if let node = literal(segment), let found = node.find(rest, parameters: &parameters) {
            return found
        }
        for placeholder in placeholders {
            guard let caught = Self.catchText(segment, before: placeholder.suffix) else { continue }
            parameters.append(name: placeholder.name, value: caught)
            if let found = placeholder.node.find(rest, parameters: &parameters) { return found }
            parameters.removeLast()
        }
        return nil
    }

    /// Literals are few: comparing them all is less than hashing one text.
    private func literal(_ segment: UnsafeBufferPointer<UInt8>) -> RouteNode? {
        guard segment.contains(UInt8(ascii: "%")) else {
            return literals.first { $0.text.elementsEqual(segment) }?.node
        }
        guard let decoded = PercentEncoding.decode(segment) else { return nil }
        return literals.first { $0.text.elementsEqual(decoded.utf8) }?.node
    }

    /// The suffix is looked for before decoding: an encoded `%3A` is part of a name.
    private static func catchText(_ segment: UnsafeBufferPointer<UInt8>, before suffix: [UInt8]) -> String? {
        guard segment.count > suffix.count, segment.suffix(suffix.count).elementsEqual(suffix) else {
            return nil
        }
        let caught = segment.dropLast(suffix.count)
        return caught.contains(UInt8(ascii: ":"))
            ? nil : PercentEncoding.decode(UnsafeBufferPointer(rebasing: caught))
    }
}
