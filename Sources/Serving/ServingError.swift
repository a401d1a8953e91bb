public import Inference

/// Why a model could not be served or a request not be answered.
public enum ServingError: Error, Hashable, Sendable {
    /// A request breaks the model's signature; `index` is the sequence at fault, nil if the request as a whole is.
    case invalidInput(index: Int?, reason: InputFault)
    /// No model has this name.
    case modelNotFound(name: String)
    /// The model has no such version.
    case versionNotFound(name: String, version: Int)
    /// The model has no output of this name; `available` are those it has.
    case outputNotFound(name: String, available: [String])
    /// The model has no normalization site of this name (nil: none at all); `available` are those it has.
    case layerNotFound(name: String?, available: [String])
    /// The normalization site is in a loop whose steps are not positions; `available` are those that can be asked for.
    case layerInsideLoop(name: String, available: [String])
    /// The model, or the process, does not answer now.
    case notReady(reason: String)
    /// As many requests are waiting as may wait; they will have been run after so many seconds, as far as is known.
    case overloaded(queuedRequests: Int, retrySeconds: Int)
    /// As many positions are waiting as may wait; they will have been run after so many seconds, as far as is known.
    case tooManyRowsQueued(rows: Int, retrySeconds: Int)
    /// Several sequences of a request break the model's signature; each with its own
    /// ``invalidInput(index:reason:)``.
    case invalidSequences([SequenceFault])
    /// The answer was not there when its time was up.
    case deadlineExceeded
    /// The caller's task was cancelled before the answer was there.
    case cancelled
    /// The model failed on these sequences; `reason` names the node.
    case executionFailed(reason: String)
    /// The paths to serve do not make a repository.
    case invalidRepository(RepositoryFault)
}

extension ServingError: CustomStringConvertible {
    /// One sentence that names the rule, the limit and the place; no value of a request is repeated.
    public var description: String {
        switch self {
        case .invalidInput(.some(let index), let reason): "sequence \(index): \(reason)"
        case .invalidInput(.none, let reason): "\(reason)"
        case .modelNotFound(let name): "no model is named '\(name)'"
        case .versionNotFound(let name, let version): "model '\(name)' has no version \(version)"
        case .outputNotFound(let name, let available):
            "the model has no output '\(name)'; it has \(Self.list(available))"
        case .layerNotFound(.some(let name), let available):
            "the model has no normalization layer '\(name)'; it has \(Self.list(available))"
        case .layerNotFound(.none, _): "the model has no normalization layer"
        case .layerInsideLoop(let name, let available):
            "normalization layer '\(name)' has no value for each position, as the steps of its loop are not the "
                + "positions; the layers that have are \(Self.list(available))"
        case .notReady(let reason): reason
        case .overloaded(let queuedRequests, _):
            "\(queuedRequests) requests are waiting already; try again later"
        case .tooManyRowsQueued(let rows, _): "\(rows) positions are waiting already; try again later"
        case .invalidSequences(let faults):
            "\(faults.count) sequences break the model's signature, the first: \(faults.first.map { "\($0.error)" } ?? "")"
        case .deadlineExceeded: "the answer was not there when the request's time was up"
        case .cancelled: "the request was cancelled"
        case .executionFailed(let reason): "the model failed: \(reason)"
        case .invalidRepository(let fault): "\(fault)"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map { "'\($0)'" }.joined(separator: ", ")
    }
}

/// Which rule of a model's signature a request breaks.
public enum InputFault: Hashable, Sendable {
    /// The request holds no sequence.
    case noSequences
    /// The sequence has no position.
    case emptySequence
    /// The sequence is longer than the server allows.
    case tooLong(positions: Int, limit: Int)
    /// The model takes no sequence of this length, as was found when it was loaded.
    case lengthNotServed(positions: Int, limit: LengthLimit)
    /// The model takes features and got tokens.
    case featuresExpected(channels: Int)
    /// The model takes tokens and got features.
    case tokensExpected
    /// A position has another number of features than the model takes.
    case wrongChannels(expected: Int, actual: Int)
    /// A feature is NaN or infinite.
    case notFinite(position: Int, channel: Int)
    /// A token is below 0, and the model does not tell how many tokens it knows.
    case negativeToken(position: Int)
    /// A token is below 0 or not below `limit`.
    case tokenOutOfRange(position: Int, limit: Int)
}

extension InputFault: CustomStringConvertible {
    /// The rule and the place, without the value.
    public var description: String {
        switch self {
        case .noSequences: "at least one sequence is needed"
        case .emptySequence: "a sequence needs at least one position"
        case .tooLong(let positions, let limit): "\(positions) positions are over the limit of \(limit)"
        case .lengthNotServed(let positions, let limit):
            "the sequence has \(positions) \(positions == 1 ? "position" : "positions"); "
                + (limit.fixedLength == nil ? "\(limit)" : "the model was \(limit)")
        case .featuresExpected(let channels): "the model takes \(channels) numbers a position, not tokens"
        case .tokensExpected: "the model takes tokens, not features"
        case .wrongChannels(let expected, let actual):
            "a position needs \(expected) numbers, not \(actual)"
        case .notFinite(let position, let channel):
            "the number at position \(position), channel \(channel) is not finite"
        case .negativeToken(let position): "the token at position \(position) is negative"
        case .tokenOutOfRange(let position, let limit):
            "the token at position \(position) is not in 0 ..< \(limit)"
        }
    }
}

/// Why paths do not make a model repository.
public enum RepositoryFault: Error, Hashable, Sendable {
    /// Nothing is at the path, or it cannot be read.
    case unreadable(path: String)
    /// The path is neither an `.onnx` file nor a folder.
    case notAModel(path: String)
    /// The folder holds no model.
    case noModels(path: String)
    /// The name cannot stand in a URL as it is.
    case invalidName(name: String, path: String)
    /// Two models have the same name, or one model the same version twice.
    case duplicateName(name: String, paths: [String])
}

extension RepositoryFault: CustomStringConvertible {
    /// The path and the rule.
    public var description: String {
        switch self {
        case .unreadable(let path): "\(path): there is nothing that can be read"
        case .notAModel(let path): "\(path): neither an .onnx file nor a folder"
        case .noModels(let path):
            "\(path): no model here; expected NAME/VERSION/model.onnx (VERSION 1, 2, ...) or .onnx files"
        case .invalidName(let name, let path):
            "\(path): a model cannot be named '\(name)': \(ModelName.rule)"
        case .duplicateName(let name, let paths):
            "two models are named '\(name)': \(paths.joined(separator: ", "))"
        }
    }
}
