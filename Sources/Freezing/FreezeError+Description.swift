import ONNXGraph
import Statistics

extension FreezeError: CustomStringConvertible {
    /// The place and the rule, and what to do about it.
    public var description: String {
        switch self {
        case .noStatistics:
            "no batch statistics found: label the tensors that hold them, by `bn_statistic` = \"NAME.mean\" or \"NAME.var\" in "
                + "the metadata of the nodes that make them (IR version 10), by a JSON list of {\"tensor\", \"label\", "
                + "\"graph\"} under `bn_statistics` in the model's metadata, or name them with --statistic"
        case .malformedLabels:
            "the metadata `bn_statistics` is not a JSON list of {\"tensor\", \"label\", \"graph\"}"
        case .missingTensor(let tensor, let label, let graph):
            "label \(label): no node of \(Self.place(graph)) makes a tensor \(tensor)"
        case .missingGraph(let graph, let label):
            "label \(label): the model has no nested graph \(graph.joined(separator: " / "))"
        case .unmatchedStatistic(let text): "no tensor of the model is called, or matches, \(text)"
        case .invalidPattern(let text): "\(text) is neither a tensor's name nor a regular expression"
        case .duplicateLabel(let label, let first, let second, let graph):
            "label \(label) stands twice in \(graph): on \(first) and on \(second)"
        case .conflictingLabels(let tensor, let first, let second):
            "tensor \(tensor) is labelled twice: \(first) and \(second)"
        case .notExposable(let type, let label, let path):
            "\(label): a statistic cannot be taken out through \(path) (\(type))"
        case .noMask(let label, let path, let reason):
            "\(label) at \(path): which positions are valid is not known there: \(reason); with --padding include all are "
                + "counted"
        case .positionsDiffer(let label, let mask, let positions, let origin):
            "\(label): \(positions < 0 ? "its positions are not" : "it has \(positions) positions, not") those of the "
                + "mask \(mask) (\(origin)); with --padding include all are counted"
        case .missingLengths(let origin):
            "\(origin): the lengths of the sequences are not known; with --padding include all positions are counted"
        case .shapeDependsOnBatch(let label, let shape):
            "\(label): the shape of a step, \(shape), depends on the batch, so that no constant can take its place"
        case .notANumber(let label, let type): "\(label): it is \(type), not float32 or float64"
        case .noCounts(let label, let estimator):
            "\(label): the estimator \(estimator.rawValue) needs the number of positions, which the graph does not tell; label "
                + "it `\(label).count`, or use mean-of-batches"
        case .noData: "no batch was given"
        case .foreignState(let reason): "the statistics are not of this model: \(reason)"
        case .unsupportedOpset(let opset, let reason): "opset \(opset): \(reason)"
        case .statistics(let error, let origin): "\(error) (\(origin))"
        case .model(let error): error.description
        case .plan(let error): error.description
        case .run(let error, let origin): "\(origin): \(error)"
        case .proofFailed(let proof): "\(proof)"
        case .noNormalization:
            "the model has no normalization with population statistics that could be estimated anew; those that an "
                + "exporter has folded into weights are gone"
        }
    }

    private static func place(_ graph: [String]) -> String {
        graph.isEmpty ? "the model's own graph" : graph.joined(separator: " / ")
    }
}
