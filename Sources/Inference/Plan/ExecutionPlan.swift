public import ONNXGraph
public import TensorCore

/// A model ready to run: checked, rewritten, its nodes in order; immutable and shared by all threads.
///
/// ```swift
/// let plan = try ExecutionPlan(try Model(contentsOf: file))
/// let logits = try plan.run(["x": x, "mask": mask])[0]
/// ```
public struct ExecutionPlan: Sendable {
    /// The inputs, in the graph's order; initializers that the graph lists as inputs are none.
    public let inputNames: [String]
    /// The outputs, in the order of ``run(_:)``.
    public let outputNames: [String]
    let inputs: [ValueInfo]
    let program: Program
    let limits: ModelLimits

    /// Plans a model.
    ///
    /// - Parameters:
    ///   - model: A validated model.
    ///   - outputs: The values of the model's own graph to compute, or nil for its outputs; nodes they do not need
    ///     are left out.
    ///   - rewriting: Whether the planner's passes may join operators, which is faster and changes how results are
    ///     rounded; else every node is computed as it is written.
    ///   - disabled: Other passes that are left out.
    ///   - precision: The numbers of products with constant weights.
    /// - Throws: ``PlanError/unsupportedOperator(path:operatorType:domain:opset:)``,
    ///   ``PlanError/invalidNode(path:operatorType:reason:)`` or another ``PlanError`` with the place.
    public init(
        _ model: Model,
        outputs: [String]? = nil,
        rewriting: Bool = true,
        without disabled: Set<PassName> = [],
        precision: Precision = .float32
    ) throws(PlanError) {
        let disabled = rewriting ? disabled : disabled.union(PassName.joining)
        var planned = try Self.graph(of: model, outputs: outputs, without: disabled)
        PlannerPasses.run(on: &planned.graph, without: disabled, precision: precision)
        self.init(planned)
    }

    /// A plan of a graph with all passes done.
    init(_ planned: PlannedGraph) {
        inputs = planned.inputs
        inputNames = planned.inputs.map(\.name)
        outputNames = planned.outputNames
        program = Program(planned.graph)
        limits = planned.limits
    }

    /// A model's graph before any pass.
    static func graph(
        of model: Model,
        outputs: [String]?,
        without disabled: Set<PassName>
    ) throws(PlanError) -> PlannedGraph {
        let model = try model.expanded()
        var graph = model.graph
        let opsets = model.opsetImports
        guard let opset = opsets[""] else { throw .missingOpset }
        let outputNames = outputs ?? graph.outputs.map(\.name)
        if !disabled.contains(.loopStepping), opset >= LoopStepping.firstOpset {
            graph = LoopStepping.rewrite(graph, keeping: outputNames)
        }
        let scope = GraphScope(
            path: .root,
            opsets: opsets,
            parent: nil,
            disabled: disabled,
            usesHalves: graph.usesHalves,
            usesOtherValues: graph.usesOtherValues,
            allowance: PlanAllowance(model.limits)
        )
        do throws(PlanError) {
            try scope.add(graph, outputs: outputNames)
        } catch .unknownValue(path: .root, let name) {
            throw outputNames.contains(name) ? .unknownOutput(name) : .unknownValue(path: .root, name: name)
        }
        return PlannedGraph(
            graph: scope.graph,
            inputs: graph.requiredInputs,
            outputNames: outputNames,
            limits: model.limits
        )
    }

    /// The operators that a run computes, in order; what the planner has folded away is missing.
    public var operatorTypes: [String] { program.operatorTypes }

    /// Computes the outputs.
    ///
    /// - Parameter values: A tensor for each of ``inputNames``, and no others.
    /// - Returns: The outputs, in the order of ``outputNames``.
    /// - Throws: ``ExecutionError/node(path:operatorType:reason:)`` for a node that cannot be computed, or the input
    ///   that is missing, unknown, or of another element type or shape than the model declares, or
    ///   ``ExecutionError/outputIsNoTensor(_:)``, see ``run(values:)``.
    /// - Complexity: Memory is that of the values alive at one time.
    public func run(_ values: [String: Tensor]) throws(ExecutionError) -> [Tensor] {
        var budget = RunBudget(limits)
        return try withUnsafeMutablePointer(to: &budget) { (budget) throws(ExecutionError) in
            try run(values, Frame(for: program, budget))
        }
    }

    private func run(
        _ values: [String: Tensor],
        _ frame: consuming Frame
    ) throws(ExecutionError) -> [Tensor] {
        for (index, input) in inputs.enumerated() {
            guard let tensor = values[inputNames[index]] else { throw .missingInput(inputNames[index]) }
            try Self.check(tensor, against: input)
            frame.set(program.inputs[index], to: tensor)
        }
        if values.count != inputs.count, let name = values.keys.filter({ !inputNames.contains($0) }).min() {
            throw .unknownInput(name)
        }
        try program.run(frame)
        var outputs: [Tensor] = []
        outputs.reserveCapacity(outputNames.count)
        for index in outputNames.indices {
            guard let tensor = program.output(index, from: frame) else {
                throw program.outputValue(index, from: frame) == nil
                    ? .missingOutput(outputNames[index]) : .outputIsNoTensor(outputNames[index])
            }
            outputs.append(tensor)
        }
        return outputs
    }

    static func check(_ tensor: Tensor, against input: ValueInfo) throws(ExecutionError) {
        if let type = input.elementType, tensor.elementType != type {
            throw .inputElementType(name: input.name, expected: type, actual: tensor.elementType)
        }
        guard let dimensions = input.dimensions else { return }
        guard dimensions.count == tensor.shape.rank else {
            throw .inputShape(
                name: input.name,
                reason: .rankMismatch(expected: dimensions.count, actual: tensor.shape.rank)
            )
        }
        for (axis, dimension) in dimensions.enumerated() {
            guard case .fixed(let length) = dimension, length != tensor.shape[axis] else { continue }
            throw .inputShape(
                name: input.name,
                reason: .dimensionMismatch(axis: axis, expected: length, actual: tensor.shape[axis])
            )
        }
    }
}

/// A model's graph on its way to a plan.
struct PlannedGraph {
    var graph: PlanGraph
    /// The declared inputs, in the order of the graph's.
    var inputs: [ValueInfo]
    let outputNames: [String]
    let limits: ModelLimits

    /// Leaves out the inputs that nothing reads.
    mutating func removeUnusedInputs() {
        let counts = graph.useCounts()
        let used = graph.inputs.indices.filter { counts[graph.inputs[$0]] > 0 }
        inputs = used.map { inputs[$0] }
        graph.inputs = used.map { graph.inputs[$0] }
    }
}
