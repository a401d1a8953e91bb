import Coding

/// One segment's place in the tree of all templates; immutable.
final class RouteNode: Sendable {
    /// The name of the placeholder; nil for a literal.
    private let name: String?
    /// The literal, or what stands behind the placeholder.
    private let text: [UInt8]
    private let routes: [Route]
    private let literals: [RouteNode]
    /// Longest suffix first.
    private let placeholders: [RouteNode]

    /// The tree of some routes.
    ///
    /// - Parameter routes: The last one of a verb and a template counts.
    convenience init(_ routes: [Route]) {
        self.init(.literal(""), routes, depth: 0)
    }

    /// The node of a segment; `routes` have the same segments up to `depth`, this one included.
    private init(_ segment: PathTemplate.Segment, _ routes: [Route], depth: Int) {
        switch segment {
        case .literal(let text):
            name = nil
            self.text = Array(text.utf8)
        case .placeholder(let name, let suffix):
            self.name = name
            text = Array(suffix.utf8)
        }
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
        let nodes = groups.map { RouteNode($0.segment, $0.routes, depth: depth + 1) }
        literals = nodes.filter { $0.name == nil }
        placeholders = nodes.filter { $0.name != nil }.sorted { $0.text.count > $1.text.count }
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
        for node in placeholders {
            guard let caught = node.catchText(segment), let name = node.name else { continue }
            parameters.append(name: name, value: caught)
            if let found = node.find(rest, parameters: &parameters) { return found }
            parameters.removeLast()
        }
        return nil
    }

    /// Literals are few: comparing them all is less than hashing one text.
    private func literal(_ segment: UnsafeBufferPointer<UInt8>) -> RouteNode? {
        guard segment.contains(UInt8(ascii: "%")) else {
            return literals.first { $0.isEnd(of: segment, from: 0) }
        }
        guard let decoded = PercentEncoding.decode(segment) else { return nil }
        return literals.first { $0.text.elementsEqual(decoded.utf8) }
    }

    /// The suffix is looked for before decoding: an encoded `%3A` is part of a name.
    private func catchText(_ segment: UnsafeBufferPointer<UInt8>) -> String? {
        let end = segment.count - text.count
        guard end > 0, isEnd(of: segment, from: end) else { return nil }
        let caught = UnsafeBufferPointer(rebasing: segment[..<end])
        return caught.contains(UInt8(ascii: ":")) ? nil : PercentEncoding.decode(caught)
    }

    /// Whether the node's text is all of a segment from some byte on.
    private func isEnd(of segment: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
        guard segment.count - start == text.count else { return false }
        for index in text.indices where text[index] != segment[start + index] { return false }
        return true
    }
}
