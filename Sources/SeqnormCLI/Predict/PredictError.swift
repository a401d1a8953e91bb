/// Why a prediction run failed as a whole.
enum PredictError: Error, Equatable, CustomStringConvertible {
    case cannotRead(CommandFault)
    case cannotWrite(String)
    /// A record breaks a rule and the run is to stop there.
    case badRecord(file: String, line: Int, reason: String)
    case noModel(String)
    case severalModels(path: String, names: [String])
    case modelFailed(path: String, reason: String)
    case executionFailed(file: String, line: Int, reason: String)
    case labelsMissing(file: String)
    case noClassOutput(path: String)
    case tooFewClasses(path: String, count: Int, topK: Int)
    case unknownOutput(path: String, name: String, known: [String])

    /// Place and reason in one line.
    var description: String {
        switch self {
        case .cannotRead(let fault): fault.description
        case .cannotWrite(let path): "\(path): cannot be written"
        case .badRecord(let file, let line, let reason): "\(file):\(line): \(reason)"
        case .noModel(let path): "\(path): there is no model"
        case .severalModels(let path, let names):
            "\(path): several models (\(names.joined(separator: ", "))); name one"
        case .modelFailed(let path, let reason): "\(path): \(reason)"
        case .executionFailed(let file, let line, let reason):
            "\(file):\(line): the model failed at this record or one after it: \(reason)"
        case .labelsMissing(let file):
            "\(file): no record with a label was answered, and --accuracy needs one"
        case .noClassOutput(let path):
            "\(path): the answer has no list of named classes, and --top-k and --accuracy need one"
        case .tooFewClasses(let path, let count, let topK):
            "\(path): the model has \(count) classes, and --top-k asks for \(topK)"
        case .unknownOutput(let path, let name, let known):
            "\(path): there is no output '\(name)'; there are \(known.joined(separator: ", "))"
        }
    }
}
