public import ONNXGraph
public import Safetensors
public import Statistics

/// Why the statistics of shares of the data cannot be read, written or merged.
public indirect enum PartialError: Error, Hashable, Sendable {
    /// A file's fault.
    case file(String, PartialError)
    /// A file that is no safetensors file.
    case unreadable(SafetensorsError)
    /// A file that cannot be written.
    case unwritable(ModelError)
    /// A safetensors file of something else.
    case notPartial
    /// A file of another version of the format.
    case unsupportedVersion(String)
    /// A file that was not written here.
    case malformed(String)
    /// Statistics that do not belong together.
    case statistics(StatisticsError)
    /// Statistics of two models.
    case modelsDiffer(String, String)
    /// Statistics with two values of an option.
    case settingsDiffer(String, String?, String?)
    /// Statistics of other normalizations.
    case sitesDiffer
    /// Two files with the statistics of the same batches.
    case sameData(String, String)
    /// No file was given.
    case nothingToMerge
}

extension PartialError: CustomStringConvertible {
    /// The file and the rule.
    public var description: String {
        switch self {
        case .file(let file, .unreadable(.unreadable(_, let reason))): "\(file): \(reason)"
        case .file(let file, let error): "\(file): \(error)"
        case .unreadable(let error): "\(error)"
        case .unwritable(let error): "\(error)"
        case .notPartial: "it is not a file of partial statistics"
        case .unsupportedVersion(let version):
            "its format version is \(version), this program reads \(PartialStatistics.formatVersion)"
        case .malformed(let what): "it is damaged: \(what)"
        case .statistics(let error): "\(error)"
        case .modelsDiffer(let a, let b):
            "it is of another model: SHA-256 \(b.prefix(12)), not \(a.prefix(12))"
        case .settingsDiffer(let name, let a, let b):
            "it was made with \(name) \(b ?? "unset"), not \(a ?? "unset")"
        case .sitesDiffer: "it has statistics of other normalizations"
        case .sameData(let a, let b): "\(a) and \(b) are of the same batches, which would count twice"
        case .nothingToMerge: "there are no partial statistics to merge"
        }
    }
}
