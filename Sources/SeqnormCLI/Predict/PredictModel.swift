import FoundationEssentials
import HTTPAPI
import Inference
import ONNXGraph
import Serving

/// Finds the one model at a path.
enum PredictModel {
    /// Loads an `.onnx` file or a model's folder, with the `model.json` beside it; the highest version of several.
    ///
    /// - Parameters:
    ///   - path: The file or folder.
    ///   - limits: What the model may ask for.
    ///   - disabledPasses: The planner's passes that are left out.
    ///   - precision: The numbers of products with constant weights.
    /// - Returns: The model, and which lengths it takes, nil for all.
    /// - Throws: ``PredictError`` if there is none or more than one, or it cannot be loaded.
    static func load(
        path: String,
        limits: ModelLimits,
        disabledPasses: Set<PassName> = [],
        precision: Precision = .float32
    ) async throws -> (
        model: SequenceModel, lengthLimit: LengthLimit?
    ) {
        let repository = try ModelRepository(
            paths: [URL(fileURLWithPath: path)],
            options: RepositoryOptions(
                limits: limits,
                disabledPasses: disabledPasses,
                precision: precision,
                warmUpLengths: []
            )
        )
        let names = Set(repository.status.map(\.name)).sorted()
        guard let name = names.first else { throw PredictError.noModel(path) }
        guard names.count == 1 else { throw PredictError.severalModels(path: path, names: names) }
        await repository.load()
        do {
            let model = try repository.model(named: name, version: nil)
            if let limit = model.lengthLimit {
                StandardStream.error.say("warning: \(path): \(limit)\(limit.hint.map { "; \($0)" } ?? "")")
            }
            return (model.sequenceModel, model.lengthLimit)
        } catch {
            for status in repository.status {
                if case .failed(let reason) = status.state {
                    throw PredictError.modelFailed(path: path, reason: reason)
                }
            }
            throw error
        }
    }
}

extension SequenceModel {
    /// The outputs to answer: those asked for, else the model's own choice.
    ///
    /// - Throws: ``PredictError/unknownOutput(path:name:known:)``.
    func outputNames(_ names: [String], path: String) throws(PredictError) -> [String] {
        let known = signature.outputs.map(\.name)
        if let name = names.first(where: { !known.contains($0) }) {
            throw .unknownOutput(path: path, name: name, known: known)
        }
        return names.isEmpty ? predictOutputs : names
    }

    /// Throws unless one of the outputs is a number a class and, with `topK`, the classes have names.
    ///
    /// - Throws: ``PredictError/noClassOutput(path:)`` or ``PredictError/tooFewClasses(path:count:topK:)``.
    func checkClasses(of names: [String], topK: Int?, path: String) throws(PredictError) {
        let outputs = signature.outputs.filter { names.contains($0.name) && $0.kind == .perSequence }
        guard let topK else {
            if outputs.isEmpty { throw .noClassOutput(path: path) }
            return
        }
        guard let labels = signature.labels, outputs.contains(where: { $0.features == [labels.count] }) else {
            throw .noClassOutput(path: path)
        }
        guard topK <= labels.count else {
            throw .tooFewClasses(path: path, count: labels.count, topK: topK)
        }
    }
}
