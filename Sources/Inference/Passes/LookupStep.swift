import Kernels
import TensorCore

/// Constants, the same for every row of a table or, with the rows as first axis, for each its own.
struct LookupArray {
    let array: ConstantArray
    let isTable: Bool

    init(_ array: ConstantArray) {
        self.array = array
        isTable = false
    }

    init(_ lookup: TableLookup) {
        array = ConstantArray(lookup.table)
        isTable = true
    }

    private init(_ array: ConstantArray, isTable: Bool) {
        self.array = array
        self.isTable = isTable
    }

    func map(_ function: (Double) -> Double) -> LookupArray {
        LookupArray(array.map(function), isTable: isTable)
    }

    /// Row by row with broadcasting.
    func combined(
        with other: LookupArray,
        _ function: (Double, Double) -> Double
    ) throws(NoMatch) -> LookupArray {
        let (shape, otherShape) = (array.shape, other.array.shape)
        switch (isTable, other.isTable) {
        case (true, true):
            guard shape.rank == otherShape.rank, shape[0] == otherShape[0] else { throw .unsupportedShape }
        case (true, false): guard otherShape.rank < shape.rank else { throw .unsupportedShape }
        case (false, true): guard shape.rank < otherShape.rank else { throw .unsupportedShape }
        case (false, false): break
        }
        guard let result = array.combined(with: other.array, function) else { throw .unsupportedShape }
        return LookupArray(result, isTable: isTable || other.isTable)
    }
}

/// `scale * x + shift` with constants and rows of tables, as a node computes it.
struct LookupStep {
    let input: PlanGraph.ValueID
    let scale: LookupArray
    let shift: LookupArray
    /// The nodes that look up, all of them the same rows.
    private(set) var lookups: [TableLookup] = []

    /// What a node computes.
    init(_ index: Int, in graph: PlanGraph, _ facts: GraphFacts) throws(NoMatch) {
        let node = graph.nodes[index]
        if let step = try? AffineStep(node, in: graph) {
            input = step.input
            (scale, shift) = (LookupArray(step.scale), LookupArray(step.shift))
            return
        }
        if node.computation is MultiplyAdd {
            guard node.inputs.count == 3, let x = node.inputs[0] else { throw .otherOperator }
            input = x
            var lookups: [TableLookup] = []
            scale = try Self.operand(node.inputs[1], in: graph, facts, &lookups)
            shift = try Self.operand(node.inputs[2], in: graph, facts, &lookups)
            self.lookups = lookups
            return
        }
        guard let arithmetic = node.computation as? Arithmetic, node.inputs.count == 2,
            let left = node.inputs[0], let right = node.inputs[1], left != right
        else { throw .otherOperator }
        let found = try? TableLookup(right, in: graph, facts)
        let lookup: TableLookup
        if let found { lookup = found } else { lookup = try TableLookup(left, in: graph, facts) }
        let values = LookupArray(lookup)
        let (one, zero) = (LookupArray(.one), LookupArray(.zero))
        input = found != nil ? left : right
        lookups = [lookup]
        switch (arithmetic.operation, found != nil) {
        case (.add, _): (scale, shift) = (one, values)
        case (.subtract, true): (scale, shift) = (one, values.map { -$0 })
        case (.subtract, false): (scale, shift) = (LookupArray(.minusOne), values)
        case (.multiply, _): (scale, shift) = (values, zero)
        case (.divide, true): (scale, shift) = (values.map { 1 / $0 }, zero)
        default: throw .otherOperator
        }
    }

    private static func operand(
        _ id: PlanGraph.ValueID?,
        in graph: PlanGraph,
        _ facts: GraphFacts,
        _ lookups: inout [TableLookup]
    ) throws(NoMatch) -> LookupArray {
        guard let id else { throw .otherOperator }
        if let constant = graph.constant(id) {
            guard constant.elementType == .float32 else { throw .unsupportedElementType }
            return LookupArray(ConstantArray(constant))
        }
        let lookup = try TableLookup(id, in: graph, facts)
        lookups.append(lookup)
        return LookupArray(lookup)
    }
}
