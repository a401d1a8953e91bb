import Inference

extension SequenceModel {
    /// The names of the normalization layers whose features can be asked for.
    var layerNames: [String] { layers.map(\.name) }

    /// The executor for a request, with the error that a caller of a service gets.
    func plannedExecutor(
        for request: OutputRequest,
        batching: Batching
    ) -> Result<any SequenceExecutor, ServingError> {
        do throws(PlanError) {
            return .success(try executor(for: request, batching: batching))
        } catch {
            return switch error {
            case .unknownOutput(let name):
                .failure(.outputNotFound(name: name, available: signature.outputs.map(\.name)))
            case .unknownLayer(let name): .failure(.layerNotFound(name: name, available: layerNames))
            case .layerInsideLoop(let name): .failure(.layerInsideLoop(name: name, available: layerNames))
            case .noLayer: .failure(.layerNotFound(name: nil, available: layerNames))
            default: .failure(.executionFailed(reason: "\(error)"))
            }
        }
    }
}
