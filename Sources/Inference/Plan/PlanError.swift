public import ONNXGraph

/// Why a model cannot be made into a plan.
public indirect enum PlanError: Error, Hashable, Sendable {
    /// No operator of this name and opset is known.
    case unsupportedOperator(path: NodePath, operatorType: String, domain: String, opset: Int)
    /// A node breaks its operator's rules.
    case invalidNode(path: NodePath, operatorType: String, reason: OperatorError)
    /// A node or a graph output uses a value that nothing before it gives.
    case unknownValue(path: NodePath, name: String)
    /// The model imports no opset of the default domain.
    case missingOpset
    /// An output that was asked for is no value of the model's graph.
    case unknownOutput(String)
    /// Subgraphs are nested deeper than this.
    case nestedTooDeep(path: NodePath, limit: Int)
    /// More nodes than the limit, those of functions counted once a call.
    case tooManyNodes(path: NodePath, limit: Int)
    /// No normalization of the model has this name.
    case unknownLayer(String)
    /// The model has no normalization that can be answered.
    case noLayer
    /// A normalization inside of a loop whose steps are not the positions of a sequence, or in a loop in a loop.
    case layerInsideLoop(String)
    /// A normalization whose statistics are computed from the batch: the model is not frozen.
    case batchStatistics(path: NodePath, label: String?)
    /// It cannot be told what the inputs and outputs mean.
    case signature(SignatureError)
    /// The file itself is at fault.
    case model(ModelError)
}

extension PlanError: CustomStringConvertible {
    /// The place and the rule that was broken.
    public var description: String {
        switch self {
        case .unsupportedOperator(let path, let type, let domain, let opset):
            "\(path): operator \(domain.isEmpty ? type : "\(domain).\(type)") is not supported in opset \(opset)"
        case .invalidNode(let path, let type, let reason): "\(path) (\(type)): \(reason)"
        case .unknownValue(let path, let name): "\(path): value \(name) is not defined before its use"
        case .missingOpset: "the model imports no opset of the default domain"
        case .unknownOutput(let name): "the graph has no value \(name)"
        case .nestedTooDeep(let path, let limit): "\(path): subgraphs are nested deeper than \(limit)"
        case .tooManyNodes(let path, let limit): "\(path): the model has more than \(limit) nodes"
        case .unknownLayer(let name): "the model has no normalization \(name)"
        case .noLayer: "the model has no normalization that can be answered"
        case .layerInsideLoop(let name):
            "normalization \(name) has no value for each position: it is inside of a loop whose steps are not the "
                + "positions of a sequence"
        case .batchStatistics(let path, let label):
            "\(path): \(label.map { "statistic \($0) is" } ?? "the normalization's statistics are") computed from "
                + "the batch, not frozen, so an answer would depend on its neighbours; `seqnorm freeze` freezes them"
        case .signature(let error): "\(error)"
        case .model(let error): error.description
        }
    }
}
