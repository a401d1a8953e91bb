import TensorCore

/// How the body of a Scan runs in place: which nodes need no state, and which make up a step.
///
/// A node that reads scan inputs but no state is computed for all steps at once if it works element by element, or is a
/// product with constant weights, or looks up a constant table. Nodes that read neither are computed once. What is left,
/// the loop, must consist of operations that ``ScanRun`` knows.
struct ScanSchedule: Sendable {
    /// Whom a value depends on.
    enum Role {
        /// The enclosing graph alone: the same in every step.
        case invariant
        /// The scan inputs.
        case stepped
        /// The states.
        case state
    }

    let graph: PlanGraph
    let stateCount: Int
    /// The role of each value.
    let roles: [Role]
    /// The nodes outside of the loop, in order.
    let prologue: [Int]
    /// The nodes of a step, in order.
    let loop: [Int]
    /// For each value, the last node that reads it or a view of it; beyond all nodes for outputs of the body.
    let lastUse: [Int]
    /// For each value, the nodes that read it.
    let readers: [[Int]]
    /// Products that are computed by the ``MultiplyAdd`` that alone reads them.
    let scaledProducts: Set<PlanGraph.ValueID>

    /// Sorts the nodes of a body, or says which rule keeps it from running in place.
    init(_ graph: PlanGraph, stateCount: Int) throws(NoMatch) {
        self.graph = graph
        self.stateCount = stateCount
        var roles = [Role](repeating: .invariant, count: graph.values.count)
        for (position, id) in graph.inputs.enumerated() {
            roles[id] = position < stateCount ? .state : .stepped
        }
        var (prologue, loop): ([Int], [Int]) = ([], [])
        for (index, node) in graph.nodes.enumerated() {
            let read = node.inputs.compactMap { $0.map { roles[$0] } }
            let role: Role
            if read.contains(.state) {
                role = .state
            } else if read.contains(.stepped) {
                role = Self.isHoistable(node, roles) ? .stepped : .state
            } else {
                role = .invariant
            }
            if role == .state { try Self.checkLoop(node, graph) }
            for case .some(let id) in node.outputs { roles[id] = role }
            if role == .state { loop.append(index) } else { prologue.append(index) }
        }
        self.roles = roles
        self.prologue = prologue
        self.loop = loop
        var readers = [[Int]](repeating: [], count: graph.values.count)
        for (index, node) in graph.nodes.enumerated() {
            for case .some(let id) in node.inputs { readers[id].append(index) }
        }
        self.readers = readers
        scaledProducts = Self.scaledProducts(graph)
        lastUse = Self.lastUse(graph, scaledProducts)
    }

    /// What runs before the loop and in it where each sequence has rows of its own.
    ///
    /// What is done element by element to rows of their own, for the loop alone, is better done in the loop: the rows of one
    /// step stay in the cache, those of all steps do not. So are products, if steps have enough rows to make use of weights
    /// that are read for each.
    ///
    /// - Parameters:
    ///   - rows: The scan inputs with rows for each sequence, as values.
    ///   - withProducts: Whether products for the loop alone are done in it.
    /// - Returns: The nodes before the loop and in it, in order; nil if a node before it has no form for rows.
    func parts(rows: Set<PlanGraph.ValueID>, withProducts: Bool) -> ScanParts? {
        var hasRows = rows
        for index in prologue {
            let node = graph.nodes[index]
            guard node.inputs.contains(where: { $0.map { hasRows.contains($0) } ?? false }) else { continue }
            guard !(node.computation is GatherOperator), node.outputs.count == 1, let output = node.outputs[0]
            else { return nil }
            hasRows.insert(output)
        }
        var inside = Set(loop)
        for index in prologue.reversed() {
            let node = graph.nodes[index]
            guard let output = node.outputs.first ?? nil, hasRows.contains(output),
                Self.isElementwiseInLoop(node, graph) || (withProducts && Self.isProduct(node)),
                lastUse[output] < graph.nodes.count, readers[output].allSatisfy({ inside.contains($0) })
            else { continue }
            inside.insert(index)
        }
        return ScanParts(prologue: prologue.filter { !inside.contains($0) }, loop: inside.sorted())
    }

    /// Whether a node is a product, which takes rows as they come.
    static func isProduct(_ node: PlanGraph.Node) -> Bool {
        node.computation is MatMul || node.computation is Gemm
    }

    private static func isElementwiseInLoop(_ node: PlanGraph.Node, _ graph: PlanGraph) -> Bool {
        switch node.computation {
        case is Unary, is Arithmetic, is Variadic, is ScaleShift, is MultiplyAdd:
            (try? checkLoop(node, graph)) != nil
        default: false
        }
    }

    private static func isHoistable(_ node: PlanGraph.Node, _ roles: [Role]) -> Bool {
        switch node.computation {
        case is Arithmetic, is Unary, is Variadic, is Clip, is Comparison, is Logical, is Not, is Where,
            is ScalarFunction, is ScaleShift, is MultiplyAdd, is Cast:
            return true
        case let product as MatMul: return product.prepared != nil
        case let product as Gemm:
            let others = node.inputs.dropFirst().compactMap(\.self)
            return product.prepared != nil && !product.transposesA
                && others.allSatisfy { roles[$0] == .invariant }
        case let gather as GatherOperator:
            guard gather.axis == 0, let table = node.inputs.first ?? nil else { return false }
            return roles[table] == .invariant
        default: return false
        }
    }

    private static func checkLoop(_ node: PlanGraph.Node, _ graph: PlanGraph) throws(NoMatch) {
        switch node.computation {
        case is Unary, is Identity, is Concat, is MultiplyAdd: return
        case let arithmetic as Arithmetic:
            guard arithmetic.operation != .power else { throw .otherOperator }
        case let variadic as Variadic:
            guard !variadic.divides, node.inputs.count == 2 else { throw .otherOperator }
        case let affine as ScaleShift:
            guard affine.variesByLastAxis else { throw .unsupportedShape }
        case let product as MatMul:
            guard product.prepared != nil else { throw .notConstant }
        case let product as Gemm:
            guard product.prepared != nil, !product.transposesA else { throw .notConstant }
        case let split as Split:
            guard split.sizes != nil || node.inputs.count < 2 || graph.constant(node.inputs[1]) != nil else {
                throw .notConstant
            }
        default: throw .otherOperator
        }
    }

    private static func scaledProducts(_ graph: PlanGraph) -> Set<PlanGraph.ValueID> {
        let useCounts = graph.useCounts()
        let producers = graph.producers()
        var products: Set<PlanGraph.ValueID> = []
        for node in graph.nodes where node.computation is MultiplyAdd {
            for case .some(let id) in node.inputs.prefix(2) where useCounts[id] == 1 {
                guard let producer = producers[id] else { continue }
                let prepared: MatMul.Prepared? =
                    switch graph.nodes[producer].computation {
                    case let product as MatMul: product.prepared
                    case let product as Gemm: product.prepared
                    default: nil
                    }
                guard let prepared, prepared.bias == nil, prepared.activation == .identity else { continue }
                products.insert(id)
                break
            }
        }
        return products
    }

    private static func lastUse(_ graph: PlanGraph, _ products: Set<PlanGraph.ValueID>) -> [Int] {
        var last = [Int](repeating: -1, count: graph.values.count)
        for id in graph.outputs { last[id] = graph.nodes.count }
        for (index, node) in graph.nodes.enumerated().reversed() {
            // Parts of a split are views: the whole lives as long as they do.
            // What a product reads must be there when it is computed.
            let isView =
                node.computation is Split || node.computation is Identity
                || node.outputs.contains { $0.map { products.contains($0) } ?? false }
            let longest = node.outputs.compactMap { $0.map { last[$0] } }.max() ?? -1
            for case .some(let id) in node.inputs { last[id] = max(last[id], index, isView ? longest : -1) }
        }
        return last
    }
}

/// The nodes of a body that run before the loop, and in it, in order.
struct ScanParts {
    let prologue: [Int]
    let loop: [Int]
}
