import ONNXGraph

extension SequenceModel {
    /// What a request means: the values to compute, and the model that has them in its own graph.
    func resolve(_ request: OutputRequest) throws(PlanError) -> (model: Model, rules: [OutputRule]) {
        switch request {
        case .outputs(let names):
            var rules: [OutputRule] = []
            for name in names.isEmpty ? predictOutputs : names { rules.append(try rule(output: name)) }
            return (model, rules)
        case .layer(let name?): return try resolve(layer: name)
        case .layer(nil):
            if signature.outputs.contains(where: { $0.name == OutputRule.normalizedName }) {
                return (model, [try rule(output: OutputRule.normalizedName)])
            }
            guard let site = layers.last else { throw .noLayer }
            return try resolve(layer: site.name)
        }
    }

    private func rule(output name: String) throws(PlanError) -> OutputRule {
        guard let output = signature.outputs.first(where: { $0.name == name }) else {
            throw .unknownOutput(name)
        }
        switch output.kind {
        case .perSequence: return OutputRule(name: name, value: name, time: .none)
        case .perPosition(let axis): return OutputRule(name: name, value: name, time: .axis(axis))
        }
    }

    private func resolve(layer name: String) throws(PlanError) -> (model: Model, rules: [OutputRule]) {
        guard let site = sites.first(where: { $0.name == name }) else { throw .unknownLayer(name) }
        switch places[name] {
        case .ownGraph?:
            let time = OutputRule.Time.besides(channelAxis: site.channelAxis)
            return (model, [OutputRule(name: name, value: site.output, time: time)])
        case .steps?:
            do throws(ModelError) {
                let (model, value) = try model.exposing(site.output, in: site.path.graph, order: .position)
                let time = OutputRule.Time.steps(channelAxis: site.channelAxis)
                return (model, [OutputRule(name: name, value: value, time: time)])
            } catch {
                throw .model(error)
            }
        case nil: throw .layerInsideLoop(name)
        }
    }
}
