import ONNXGraph
import TensorCore

/// The graph that computes all sequences at once, while it is made.
final class PackedGraph {
    /// Where a value of the model's graph is.
    enum Place {
        /// In the packed graph, as rows.
        case rows(PlanGraph.ValueID)
        /// Not computed yet: a node that runs sequence by sequence gives it.
        case pending(node: Int)
    }

    private(set) var graph = PlanGraph()
    /// What the packed graph's offset inputs are offsets of, in the order of the inputs behind the rows.
    private(set) var times: [LengthFunction] = []
    private var offsetInputs: [LengthFunction: PlanGraph.ValueID] = [:]
    private var lengthValues: [LengthValues: PlanGraph.ValueID] = [:]
    private var positionValues: [LengthFunction: PlanGraph.ValueID] = [:]
    private var places: [PlanGraph.ValueID: Place] = [:]
    private var elements: [PlanGraph.ValueID: PlanGraph.ValueID] = [:]
    /// Makes the rows of a value that is pending, or its elements if it has two axes of time.
    var flush: (PlanGraph.ValueID) throws(NoRule) -> PlanGraph.ValueID = { _ throws(NoRule) in
        throw NoRule("an input is not computed")
    }

    /// The rows of the batch.
    let sequence: PlanGraph.ValueID

    init() {
        sequence = graph.addValue(named: "rows")
        graph.inputs = [sequence]
    }

    /// Where a value of the model's graph is.
    func place(of id: PlanGraph.ValueID) -> Place? { places[id] }

    /// Says where a value of the model's graph is.
    func put(_ id: PlanGraph.ValueID, at place: Place) { places[id] = place }

    /// A value of the model's graph as rows.
    func rows(of id: PlanGraph.ValueID, _ facts: ValueFacts) throws(NoRule) -> PlanGraph.ValueID {
        switch places[id] {
        case .rows(let rows): return rows
        case .pending:
            guard facts.isPackable else { throw NoRule("an input has more than one time axis") }
            return try flush(id)
        case nil:
            if facts.content == .positions, let time = facts.time { return positions(time) }
            guard case .length(let function)? = facts.number else { throw NoRule("an input is not computed") }
            return try lengths(function, facts.elementType)
        }
    }

    /// A value of the model's graph that has two axes of time: the elements of one sequence behind those of the other.
    func elements(of id: PlanGraph.ValueID, _ facts: ValueFacts) throws(NoRule) -> PlanGraph.ValueID {
        if let known = elements[id] { return known }
        guard facts.hasPairs, case .pending? = places[id] else { throw NoRule("an input is not computed") }
        let result = try flush(id)
        elements[id] = result
        return result
    }

    private func positions(_ time: LengthFunction) -> PlanGraph.ValueID {
        if let known = positionValues[time] { return known }
        let id = emit(.root, "Positions", Positions(), [offsets(time)], outputs: 1)[0]
        positionValues[time] = id
        return id
    }

    private func lengths(_ function: LengthFunction, _ type: ElementType) throws(NoRule) -> PlanGraph.ValueID
    {
        guard let computation = LengthValues(function, type) else {
            throw NoRule("a length as \(type.rawValue)")
        }
        if let known = lengthValues[computation] { return known }
        let id = emit(.root, "Lengths", computation, [offsets(.length)], outputs: 1)[0]
        lengthValues[computation] = id
        return id
    }

    /// Where the sequences begin in values of a length: int64 `[B + 1]`.
    func offsets(_ time: LengthFunction) -> PlanGraph.ValueID {
        if let known = offsetInputs[time] { return known }
        let id = graph.addValue(named: "offsets of \(time)")
        graph.inputs.append(id)
        times.append(time)
        offsetInputs[time] = id
        return id
    }

    /// A constant.
    func constant(_ tensor: Tensor) -> PlanGraph.ValueID { graph.addValue(named: "", constant: tensor) }

    /// Adds a node.
    func emit(
        _ path: NodePath,
        _ operatorType: String,
        _ computation: any Operator,
        _ inputs: [PlanGraph.ValueID?],
        outputs count: Int
    ) -> [PlanGraph.ValueID] {
        let outputs = (0..<count).map { _ in graph.addValue(named: "") }
        graph.nodes.append(
            PlanGraph.Node(
                path: path,
                operatorType: operatorType,
                computation: computation,
                inputs: inputs,
                outputs: outputs
            )
        )
        return outputs
    }

    /// Rows under other features of as many elements.
    func view(_ id: PlanGraph.ValueID, as features: [Int]) throws(NoRule) -> PlanGraph.ValueID {
        guard features.count < Shape.maximumRank, let shape = try? Shape(checking: features) else {
            throw NoRule("rows of \(features) are not possible")
        }
        return emit(.root, "RowView", RowView(features: shape), [id], outputs: 1)[0]
    }

    /// The finished graph for some outputs.
    func finished(outputs: [PlanGraph.ValueID]) -> PlanGraph {
        graph.outputs = outputs
        graph.removeDeadNodes()
        return graph
    }
}
