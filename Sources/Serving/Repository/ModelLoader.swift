import FoundationEssentials
import Inference
import Metrics
import ONNXGraph

/// Makes a model version ready: read, digest, parse, plan, warm up.
///
/// Synchronous, for a thread of its own.
struct ModelLoader: Sendable {
    let options: RepositoryOptions
    let metrics: any MetricsFactory

    /// What became of a location.
    enum Outcome: Sendable {
        case ready(ServedModel)
        case failed(reason: String)
    }

    /// Loads one version; whatever is wrong with it becomes the reason, never an error for others.
    func load(_ location: ModelLocation) -> Outcome {
        guard let file = location.file else { return .failed(reason: location.fault ?? "there is no file") }
        let start = ContinuousClock.now
        do {
            let bytes = try ModelFile.read(file, maxBytes: options.maxModelBytes)
            let model = try Model(
                serialized: bytes,
                folder: file.deletingLastPathComponent(),
                limits: options.limits
            )
            try model.validate()
            let sequenceModel = try SequenceModel(
                model: model,
                override: override(for: location),
                disabledPasses: options.disabledPasses,
                precision: options.precision
            )
            let limit = try LengthProbe(sequenceModel).limit()
            let runTimes = RunTimes()
            if !options.warmUpLengths.isEmpty {
                for batching in options.warmUpBatchings {
                    try WarmUp(
                        model: sequenceModel,
                        batching: batching,
                        lengths: options.warmUpLengths,
                        limit: limit,
                        runTimes: runTimes
                    ).run()
                }
            }
            let served = ServedModel(
                name: location.name,
                version: location.version,
                digest: Digest.sha256Hex(bytes),
                fileBytes: bytes.count,
                sequenceModel: sequenceModel,
                lengthLimit: limit,
                metrics: ModelMetrics(
                    model: location.name,
                    version: location.version,
                    runTimes: runTimes,
                    factory: metrics
                )
            )
            served.metrics.loadSeconds.record(duration: .now - start)
            tell(served)
            return .ready(served)
        } catch {
            return .failed(reason: "\(error)")
        }
    }

    private func tell(_ model: ServedModel) {
        let of = [("model", model.name), ("version", String(model.version))]
        Gauge(label: "seqnorm_model_info", dimensions: of + [("sha256", model.digest)], factory: metrics)
            .record(1)
        Gauge(label: "seqnorm_model_file_bytes", dimensions: of, factory: metrics).record(model.fileBytes)
    }

    private func override(for location: ModelLocation) throws -> Data? {
        guard
            let file = location.overrideCandidates.first(where: {
                FileManager.default.fileExists(atPath: $0.path)
            })
        else { return nil }
        return try ModelFile.read(file, maxBytes: options.maxOverrideBytes)
    }
}
