import Inference

extension SequenceModel {
    /// The names of the normalization layers whose features can be asked for.
    var layers: [String] { sites.filter { !$0.isNested }.map(\.name) }

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
            case .unknownLayer(let name), .layerInsideLoop(let name):
                .failure(.layerNotFound(name: name, available: layers))
            case .noLayer: .failure(.layerNotFound(name: nil, available: layers))
            default: .failure(.executionFailed(reason: "\(error)"))
            }
        }
    }
}
