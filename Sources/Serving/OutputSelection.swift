import Inference

/// What a caller asks of a model, checked, in the one spelling under which it is planned and batched.
///
/// Callers that name the same outputs in another order, or twice, share plan and batch; so there are never more
/// plans of a model than sets of its outputs.
struct OutputSelection {
    /// What the model is asked for.
    let request: OutputRequest
    /// The names the caller gave, in its order; nil if it named none, or those of the model in its order.
    private let names: [String]?

    /// Checks a request against a model; no output named means the model's predictions.
    ///
    /// - Throws: ``ServingError/outputNotFound(name:available:)``,
    ///   ``ServingError/layerNotFound(name:available:)`` or ``ServingError/layerInsideLoop(name:available:)``.
    init(_ request: OutputRequest, of model: SequenceModel) throws(ServingError) {
        switch request {
        case .outputs(let names) where names.isEmpty || names == model.predictOutputs:
            // The model's own order, as most callers want it.
            self.names = nil
            self.request = .outputs(model.predictOutputs)
        case .outputs(let names):
            let available = model.signature.outputs.map(\.name)
            for name in names where !available.contains(name) {
                throw .outputNotFound(name: name, available: available)
            }
            self.names = names
            self.request = .outputs(available.filter(names.contains))
        case .layer(let name):
            let available = model.layerNames
            if let name, !available.contains(name) {
                throw model.sites.contains { $0.name == name }
                    ? .layerInsideLoop(name: name, available: available)
                    : .layerNotFound(name: name, available: available)
            }
            names = nil
            self.request = request
        }
    }

    /// The outputs in the order the caller named them.
    func inCallersOrder(_ outputs: [SequenceOutput]) -> [SequenceOutput] {
        guard let names else { return outputs }
        return names.compactMap { name in outputs.first { $0.name == name } }
    }
}
