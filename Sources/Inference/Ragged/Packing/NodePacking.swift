import ONNXGraph
import TensorCore

/// What an operator sees of the packed graph while it adds its node to it.
///
/// A value with a time axis lives as `[R, ...features]`, a row for each position of all sequences, whatever the order of
/// its axes in the model; one without as `[B, ...features]`, a row a sequence. Axes of length 1 are left out.
struct NodePacking {
    let node: PlanGraph.Node
    let known: NodeFacts
    let outputs: [ValueFacts]
    let graph: PackedGraph

    /// The facts of an input that must be there.
    func input(_ index: Int) throws(NoRule) -> ValueFacts { try known[index] }

    /// An input as rows, `[N, ...features]`.
    func rows(_ index: Int) throws(NoRule) -> PlanGraph.ValueID {
        guard index < node.inputs.count, let id = node.inputs[index] else {
            throw NoRule("input \(index) is missing")
        }
        guard known.constant(index) == nil else { throw NoRule("input \(index) is constant") }
        return try graph.rows(of: id, try known[index])
    }

    /// An input with two axes of time: all elements of each sequence in the model's order, one sequence behind the other, `[N]`.
    func elements(_ index: Int) throws(NoRule) -> PlanGraph.ValueID {
        guard index < node.inputs.count, let id = node.inputs[index] else {
            throw NoRule("input \(index) is missing")
        }
        return try graph.elements(of: id, try known[index])
    }

    /// Whether the node has an input.
    func isPresent(_ index: Int) -> Bool { index < node.inputs.count && node.inputs[index] != nil }

    /// Whether anyone asks for an output.
    func isRead(_ index: Int) -> Bool { index < node.outputs.count && node.outputs[index] != nil }

    /// An input with no axis of time: a row a sequence, or a constant with the axes it has for one, the same for all.
    func sequenceValue(_ index: Int) throws(NoRule) -> PlanGraph.ValueID {
        let facts = try known[index]
        guard facts.timeAxes.isEmpty else { throw NoRule("input \(index) has an axis of time") }
        if let constant = known.constant(index) { return self.constant(constant) }
        guard let uniform = facts.uniform else { return try rows(index) }
        let extents = facts.extents.indices.map { facts.constant($0) ?? 1 }
        guard let shape = try? Shape(checking: extents),
            let value = try? Self.filled(uniform, extents).reshaped(to: shape)
        else { throw NoRule("input \(index) is the same everywhere, but large") }
        return constant(value)
    }

    /// An input with no axis of time as the model has it, a sample a sequence: the first axis of the model, of length 1,
    /// is that of the sequences.
    func sample(_ index: Int) throws(NoRule) -> PlanGraph.ValueID {
        let facts = try known[index]
        guard facts.timeAxes.isEmpty, facts.rank > 0, facts.extents[0] == .integer(1) else {
            throw NoRule("input \(index) is no sample of each sequence")
        }
        return try view(try rows(index), as: (1..<facts.rank).map { facts.constant($0) ?? 1 })
    }

    /// The outputs of an operator on samples, which gives each sample's own.
    func perSequence(
        _ computation: any Operator,
        _ inputs: [PlanGraph.ValueID?]
    ) throws(NoRule) -> [PlanGraph.ValueID] {
        let results = emit(computation, inputs, outputs: outputs.count)
        var rows: [PlanGraph.ValueID] = []
        for (result, facts) in zip(results, outputs) { rows.append(try view(result, as: facts.features)) }
        return rows
    }

    /// A constant of the packed graph.
    func constant(_ tensor: Tensor) -> PlanGraph.ValueID { graph.constant(tensor) }

    /// Where the sequences begin in values of a length.
    func offsets(_ time: LengthFunction) -> PlanGraph.ValueID { graph.offsets(time) }

    /// Adds a node with one output.
    func emit(_ computation: any Operator, _ inputs: [PlanGraph.ValueID?]) -> PlanGraph.ValueID {
        graph.emit(node.path, node.operatorType, computation, inputs, outputs: 1)[0]
    }

    /// Adds a node with several outputs.
    func emit(
        _ computation: any Operator,
        _ inputs: [PlanGraph.ValueID?],
        outputs: Int
    ) -> [PlanGraph.ValueID] {
        graph.emit(node.path, node.operatorType, computation, inputs, outputs: outputs)
    }

    /// Rows under other features of as many elements: `[N]` and those.
    func view(_ id: PlanGraph.ValueID, as features: [Int]) throws(NoRule) -> PlanGraph.ValueID {
        try graph.view(id, as: features)
    }

    /// The only output's rows in their usual form, from rows with axes of length 1 in between.
    func finished(_ id: PlanGraph.ValueID, features: [Int]) throws(NoRule) -> [PlanGraph.ValueID] {
        [features.contains(1) ? try view(id, as: features.filter { $0 != 1 }) : id]
    }

    /// An input made ready to be broadcast to the rows of a result, or nil if it is absent.
    ///
    /// - Parameters:
    ///   - index: The input.
    ///   - result: A value that the input is broadcast to.
    /// - Returns: Rows, or a constant without an axis for them.
    /// - Throws: Why that cannot be.
    func operand(_ index: Int, alignedTo result: ValueFacts) throws(NoRule) -> Operand? {
        guard let id = index < node.inputs.count ? node.inputs[index] : nil else { return nil }
        let facts = try known[index]
        if let constant = known.constant(index) {
            return Operand(id: self.constant(try Self.aligned(constant, to: result)), varies: false)
        }
        let lead = result.rank - facts.rank
        guard lead >= 0 else { throw NoRule("input \(index) has more axes than the result") }
        let features = result.featureAxes.map { $0 < lead ? 1 : facts.constant($0 - lead) ?? 1 }
        if let uniform = facts.uniform {
            return Operand(id: constant(try Self.filled(uniform, features)), varies: false)
        }
        var rows = try graph.rows(of: id, facts)
        if let axis = facts.timeAxis, result.timeAxis != axis + lead {
            throw NoRule("the time axes of inputs differ")
        }
        if facts.time == nil, let time = result.time {
            rows =
                graph.emit(node.path, "RepeatRows", RepeatRows(), [rows, graph.offsets(time)], outputs: 1)[
                    0
                ]
        }
        return Operand(id: features == facts.features ? rows : try view(rows, as: features), varies: true)
    }

    /// An input of a broadcast.
    struct Operand {
        let id: PlanGraph.ValueID
        /// Whether it has an axis of rows.
        let varies: Bool
    }

    /// A scalar, or as many of it as the features need.
    private static func filled(_ scalar: Tensor, _ features: [Int]) throws(NoRule) -> Tensor {
        guard features.contains(where: { $0 != 1 }) else { return scalar }
        guard let shape = try? Shape(checking: features),
            shape.elementCount <= ConstantFolding.maximumGrownCount,
            let filled = Scalar(scalar)?.filling(shape)
        else { throw NoRule("an input is the same everywhere, but large") }
        return filled
    }

    /// A constant without the axes that rows do not have.
    static func aligned(_ constant: Tensor, to result: ValueFacts) throws(NoRule) -> Tensor {
        let lengths = constant.shape.dimensions
        let lead = result.rank - lengths.count
        guard lead >= 0 else { throw NoRule("a constant has more axes than the result") }
        if constant.count == 1, let scalar = try? constant.reshaped(to: Shape()) { return scalar }
        if let axis = result.timeAxis, axis >= lead, lengths[axis - lead] != 1 {
            throw NoRule("a constant varies along the time axis")
        }
        let features = result.featureAxes.map { $0 < lead ? 1 : lengths[$0 - lead] }
        guard let shape = try? Shape(checking: features), let view = try? constant.reshaped(to: shape) else {
            throw NoRule("a constant does not fit the features")
        }
        return view
    }

    /// Where an axis of a value stands among those of its rows.
    ///
    /// - Parameters:
    ///   - axis: An axis other than time, of any length but 1.
    ///   - facts: The value.
    /// - Returns: Its place behind the axis of rows, from 1 on.
    /// - Throws: That rows do not have the axis.
    static func place(of axis: Int, in facts: ValueFacts) throws(NoRule) -> Int {
        guard let place = facts.featureAxes.firstIndex(of: axis) else {
            throw NoRule("axis \(axis) is not one of the features")
        }
        return place + 1
    }
}
