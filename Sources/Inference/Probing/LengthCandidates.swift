import ONNXGraph
import TensorCore

/// The sizes that stand in a file, any of which may be the length that the model was traced with.
enum LengthCandidates {
    /// The longest sequence that is tried.
    static let longest = 2048
    /// The deepest nesting that is looked at.
    static let maximumDepth = 32
    /// The largest table whose end is tried.
    static let longestTable = 1024
    /// How many are tried at most, half of them the smallest and half the largest.
    static let maximumCount = 96

    /// One more than the number of rows of each table that is looked up or cut, such as one of positions; at most 8.
    static func beyondTables(in model: Model) -> [Int] {
        let graph = model.graph
        let rows = Dictionary(
            graph.initializers.filter { $0.dimensions.count >= 2 }.map { ($0.name, $0.dimensions) },
            uniquingKeysWith: { first, _ in first }
        )
        var found: Set<Int> = []
        for node in graph.nodes where ["Gather", "Slice"].contains(node.operatorType) {
            guard let table = node.inputs.first.flatMap({ rows[$0] }) else { continue }
            for size in table.dropLast() where (2...longestTable).contains(size) { found.insert(size + 1) }
        }
        return Array(found.sorted().prefix(8))
    }

    /// Whole numbers of constants and attributes, one more than each, and the sizes of weights, in ascending order.
    static func lengths(in model: Model) -> [Int] {
        var found: Set<Int> = []
        collect(model.graph, depth: 0, &found)
        let sorted = found.filter { (1...longest).contains($0) }.sorted()
        guard sorted.count > maximumCount else { return sorted }
        return Array(sorted.prefix(maximumCount / 2) + sorted.suffix(maximumCount / 2))
    }

    private static func collect(_ graph: Graph, depth: Int, _ found: inout Set<Int>) {
        guard depth <= maximumDepth else { return }
        for initializer in graph.initializers { collect(initializer, &found) }
        for node in graph.nodes {
            for attribute in node.attributes {
                switch attribute.value {
                case .int(let number): add(number, &found)
                case .ints(let numbers): for number in numbers.prefix(64) { add(number, &found) }
                case .tensor(let tensor): collect(tensor, &found)
                case .graph(let body): collect(body, depth: depth + 1, &found)
                default: break
                }
            }
        }
    }

    private static func collect(_ initializer: Initializer, _ found: inout Set<Int>) {
        for size in initializer.dimensions { found.insert(size) }
        let elements = initializer.dimensions.reduce(1) {
            $0.multipliedReportingOverflow(by: $1).partialValue
        }
        guard (0...64).contains(elements), let type = initializer.elementType,
            type == .int64 || type == .int32, let tensor = try? initializer.tensor()
        else { return }
        if type == .int64 {
            for number in tensor.array(of: Int64.self) { add(number, &found) }
        } else {
            for number in tensor.array(of: Int32.self) { add(Int64(number), &found) }
        }
    }

    private static func add(_ number: Int64, _ found: inout Set<Int>) {
        guard (0...Int64(longest)).contains(number) else { return }
        found.insert(Int(number))
        found.insert(Int(number) + 1)
    }
}
