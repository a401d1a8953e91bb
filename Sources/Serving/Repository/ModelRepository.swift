public import FoundationEssentials
public import Metrics
import NIOConcurrencyHelpers

/// The models a process serves: found at once, then loaded side by side.
///
/// ```swift
/// let repository = try ModelRepository(paths: [URL(fileURLWithPath: "Examples/models")])
/// await repository.load()
/// let model = try repository.model(named: "vowels-cnn")
/// ```
public final class ModelRepository: Sendable {
    private enum State {
        case found
        case loading
        case ready(ServedModel)
        case failed(reason: String)
    }

    private struct Version {
        let location: ModelLocation
        var state: State
    }

    private let versions: NIOLockedValueBox<[Version]>
    private let loader: ModelLoader

    /// Looks for models; none is read yet.
    ///
    /// - Parameters:
    ///   - paths: Each an `.onnx` file, a model's folder (`NAME/VERSION/model.onnx`, VERSION a number of at
    ///     least 1), or a folder of models.
    ///   - options: Limits and habits.
    ///   - metrics: Where figures go.
    /// - Throws: ``ServingError/invalidRepository(_:)`` if a path cannot be read or holds no model, or a name
    ///   is unfit or used twice. A model that cannot be loaded is no such error: see ``status``.
    public init(
        paths: [URL],
        options: RepositoryOptions = RepositoryOptions(),
        metrics: any MetricsFactory = MetricsSystem.factory
    ) throws(ServingError) {
        do throws(RepositoryFault) {
            let locations = try RepositoryScan.locations(at: paths)
            versions = NIOLockedValueBox(locations.map { Version(location: $0, state: .found) })
        } catch {
            throw .invalidRepository(error)
        }
        loader = ModelLoader(options: options, metrics: metrics)
    }

    /// Loads and warms up every version on threads made for it, and returns when each is ready or has failed.
    ///
    /// A second call loads nothing again and does not wait.
    public func load() async {
        let waiting = versions.withLockedValue { versions in
            versions.indices.filter { index in
                guard case .found = versions[index].state else { return false }
                versions[index].state = .loading
                return true
            }.map { (index: $0, location: versions[$0].location) }
        }
        guard !waiting.isEmpty else { return }
        let cores = loader.options.loadThreads ?? ProcessorQuota.threadCount
        let threads = ComputePool(threads: min(cores, waiting.count), name: "load")
        for (index, location) in waiting {
            threads.submit { [self] in finish(index, loader.load(location)) }
        }
        await threads.shutdown()
    }

    private func finish(_ index: Int, _ outcome: ModelLoader.Outcome) {
        versions.withLockedValue { versions in
            versions[index].state =
                switch outcome {
                case .ready(let model): .ready(model)
                case .failed(let reason): .failed(reason: reason)
                }
        }
    }

    /// Where every version of every model stands, by name and version.
    public var status: [ModelStatus] {
        versions.withLockedValue { versions in
            versions.map { version in
                let state: ModelStatus.State =
                    switch version.state {
                    case .found, .loading: .loading
                    case .ready: .ready
                    case .failed(let reason): .failed(reason: reason)
                    }
                return ModelStatus(
                    name: version.location.name,
                    version: version.location.version,
                    state: state
                )
            }
        }
    }

    /// Ready once every version of every model is; a failed one is named before one that is loading.
    public var readiness: Readiness {
        let status = status
        for model in status {
            guard case .failed(let reason) = model.state else { continue }
            return .notReady(reason: "model '\(model.name)' version \(model.version) failed: \(reason)")
        }
        let loading = status.filter { $0.state == .loading }
        guard let first = loading.first else { return .ready }
        let more = loading.count > 1 ? " and \(loading.count - 1) more" : ""
        return .notReady(reason: "model '\(first.name)' version \(first.version)\(more) is loading")
    }

    /// A model that answers.
    ///
    /// - Parameters:
    ///   - name: The model's name.
    ///   - version: nil: the highest there is, ready or not, so that an answer never comes from an older one.
    /// - Returns: The loaded model.
    /// - Throws: ``ServingError/modelNotFound(name:)``, ``ServingError/versionNotFound(name:version:)``, or
    ///   ``ServingError/notReady(reason:)`` while it is loading or if it could not be loaded.
    public func model(named name: String, version: Int? = nil) throws(ServingError) -> ServedModel {
        let found: Result<ServedModel, ServingError> = versions.withLockedValue { versions in
            let all = versions.lazy.filter { $0.location.name == name }
            guard let highest = all.max(by: { $0.location.version < $1.location.version }) else {
                return .failure(.modelNotFound(name: name))
            }
            guard let version, version != highest.location.version else { return Self.answering(highest) }
            guard let asked = all.first(where: { $0.location.version == version }) else {
                return .failure(.versionNotFound(name: name, version: version))
            }
            return Self.answering(asked)
        }
        return try found.get()
    }

    private static func answering(_ version: Version) -> Result<ServedModel, ServingError> {
        let fault: String
        switch version.state {
        case .ready(let model): return .success(model)
        case .found, .loading: fault = "is loading"
        case .failed(let reason): fault = "failed: \(reason)"
        }
        let title = "model '\(version.location.name)' version \(version.location.version)"
        return .failure(.notReady(reason: "\(title) \(fault)"))
    }
}
