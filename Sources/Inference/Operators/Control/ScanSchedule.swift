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
        lastUse = Self.lastUse(graph)
    }

    private static func isHoistable(_ node: PlanGraph.Node, _ roles: [Role]) -> Bool {
        switch node.computation {
        case is Arithmetic, is Unary, is Variadic, is Clip, is Comparison, is Logical, is Not, is Where,
            is ScalarFunction, is ScaleShift, is Cast:
            return true
        case let product as MatMul: return product.prepared != nil
        case let gather as GatherOperator:
            guard gather.axis == 0, let table = node.inputs.first ?? nil else { return false }
            return roles[table] == .invariant
        default: return false
        }
    }

    private static func checkLoop(_ node: PlanGraph.Node, _ graph: PlanGraph) throws(NoMatch) {
        switch node.computation {
        case is Unary, is Identity, is Concat: return
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

    private static func lastUse(_ graph: PlanGraph) -> [Int] {
        var last = [Int](repeating: -1, count: graph.values.count)
        for id in graph.outputs { last[id] = graph.nodes.count }
        for (index, node) in graph.nodes.enumerated().reversed() {
            // Parts of a split are views: the whole lives as long as they do.
            let isView = node.computation is Split || node.computation is Identity
            let longest = node.outputs.compactMap { $0.map { last[$0] } }.max() ?? -1
            for case .some(let id) in node.inputs { last[id] = max(last[id], index, isView ? longest : -1) }
        }
        return last
    }
}
