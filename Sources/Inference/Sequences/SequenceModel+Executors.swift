import ONNXGraph

extension SequenceModel {
    /// Pads, masks, runs the model as it is, and cuts the answers.
    func paddedExecutor(for request: OutputRequest) throws(PlanError) -> any SequenceExecutor {
        let (model, rules) = try resolve(request)
        let plan = try plan(of: model, rules)
        return PaddedExecutor(plan: plan, layout: InputLayout(signature, plan: plan), rules: rules)
    }

    /// Runs packed what can be packed, and sequence by sequence what cannot.
    func raggedExecutor(
        for request: OutputRequest
    ) throws(PlanError) -> (executor: any SequenceExecutor, report: PlanReport) {
        let (model, rules) = try resolve(request)
        var planned = try ExecutionPlan.graph(of: model, outputs: rules.map(\.value), without: disabledPasses)
        let inputs: PackedInputs
        do throws(NoRule) {
            guard !planned.graph.hasOtherValues else { throw NoRule("some values are no tensors") }
            inputs = try PackedInputs(planned.graph, declared: planned.inputs, signature: signature)
        } catch {
            let plan = try plan(of: model, rules)
            let single = RaggedExecutor(plan: plan, layout: InputLayout(signature, plan: plan), rules: rules)
            return (single, PlanReport(steps: [], fault: error.reason))
        }
        if !disabledPasses.contains(.knownValues) {
            KnownValues.fold(&planned.graph, inputs: inputs.facts)
        }
        PlannerPasses.run(on: &planned.graph, without: disabledPasses, precision: precision)
        planned.removeUnusedInputs()
        let plan = ExecutionPlan(planned)
        let single = RaggedExecutor(plan: plan, layout: InputLayout(signature, plan: plan), rules: rules)
        do throws(NoRule) {
            guard !disabledPasses.contains(.packing) else { throw NoRule("the pass packing is left out") }
            let packed = try PackedPlan(
                planned,
                inputs: inputs,
                signature: signature,
                rules: rules,
                without: disabledPasses
            )
            return (PackedExecutor(plan: packed, single: single), packed.report)
        } catch {
            return (single, PlanReport(steps: [], fault: error.reason))
        }
    }

    private func plan(of model: Model, _ rules: [OutputRule]) throws(PlanError) -> ExecutionPlan {
        try ExecutionPlan(
            model,
            outputs: rules.map(\.value),
            without: disabledPasses,
            precision: precision
        )
    }

    /// How a request is run over a batch of sequences of different lengths.
    ///
    /// - Parameter request: The outputs, or a normalization.
    /// - Returns: The way of each node.
    /// - Throws: Why the request cannot be planned.
    public func planReport(for request: OutputRequest) throws(PlanError) -> PlanReport {
        try raggedExecutor(for: request).report
    }
}
