import ONNXGraph

/// For each axis of a value, the axis of a model's input that it is; nil where it is none.
typealias AxisMap = [Int?]

extension AxisMap {
    /// The axes in the order a Transpose puts them; nil if the attribute is wrong.
    static func permutation(of node: Node, rank: Int) -> [Int]? {
        guard case .ints(let order)? = node.attribute("perm") else { return (0..<rank).reversed() }
        let axes = order.map { Int(clamping: $0) }
        return axes.sorted().elementsEqual(0..<rank) ? axes : nil
    }

    /// With new axes at the places that Unsqueeze names.
    func unsqueezed(_ axes: [Int64]) -> AxisMap? {
        let rank = count + axes.count
        let places = Set(axes.map { Int(clamping: $0) }.map { $0 < 0 ? $0 + rank : $0 })
        guard rank <= 16, places.count == axes.count, places.allSatisfy({ (0..<rank).contains($0) }) else {
            return nil
        }
        var rest = self[...]
        return (0..<rank).map { places.contains($0) ? nil : rest.popFirst() ?? nil }
    }

    /// Without the axes that Squeeze names.
    func squeezed(_ axes: [Int64]) -> AxisMap? {
        let places = Set(axes.map { Int(clamping: $0) }.map { $0 < 0 ? $0 + count : $0 })
        guard places.allSatisfy(indices.contains) else { return nil }
        return indices.filter { !places.contains($0) }.map { self[$0] }
    }
}
