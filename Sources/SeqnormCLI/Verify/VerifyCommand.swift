import ArgumentParser
import FoundationEssentials
import Inference
import TensorCore
import Verifying

/// Runs a model on probes, and tells whether its answers depend on the sequence alone.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Runs a model and tells whether its answers depend on the sequence alone.",
        discussion: """
            Sequences of many lengths are run alone, padded, shuffled and with company: in the model as such, as any \
            engine runs it, and as it is served. Names the first node at which padding or company leaks in, the lengths \
            that fail, and the inputs without effect.

            Exit code 1 if a check fails. A model that no mask is given to may fail padding and still be served right, \
            as served ragged nothing is padded: --allow padding.
            """
    )

    @Argument(help: "An .onnx file, or a model's folder (the highest version counts).", completion: .file())
    var model: String

    @Option(help: "Sequences to run instead of made-up ones, JSON Lines or FASTA; the first 48 count.")
    var data: String?

    @Option(help: "How the data is written: jsonl or fasta. Else the extension tells, or the first byte.")
    var format: RecordFormat?

    @Option(
        name: .customLong("allow"),
        help: "A check that may fail: \(VerificationReport.Check.Kind.names). May be given several times.",
        transform: { name in
            guard let kind = VerificationReport.Check.Kind(rawValue: name) else {
                throw ValidationError("--allow must be one of \(VerificationReport.Check.Kind.names)")
            }
            return kind
        }
    )
    var allowed: [VerificationReport.Check.Kind] = []

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var passes: PassOptions
    @OptionGroup var precision: PrecisionOptions

    func validate() throws {
        if format != nil && data == nil { throw ValidationError("--format goes with --data") }
    }

    func run() throws {
        let disabled = try passes.setting().value.passes
        let precision = try precision.setting().value
        let place = try ModelArgument(path: model)
        let loaded = try CommandFault.locating(place.file.path) {
            try place.load(without: disabled, precision: precision)
        }
        let sequences = try data.map {
            try ProbeRecords.read($0, format: format, signature: loaded.signature)
        }
        let report = try CommandFault.locating(place.file.path) {
            try ModelVerifier(loaded, data: sequences).report()
        }
        let isHeld = report.isHeld(allowing: Set(allowed))
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "infinity",
                negativeInfinity: "-infinity",
                nan: "nan"
            )
            let answer = VerifyReport.Document(model: model, held: isHeld, report: report)
            print(String(decoding: try encoder.encode(answer), as: UTF8.self))
        } else {
            print(VerifyReport(report, allowed: Set(allowed)).text(title: model), terminator: "")
        }
        if !isHeld { throw ExitCode(1) }
    }
}

extension VerificationReport.Check.Kind {
    /// All names, for a help text.
    static let names = allCases.map(\.rawValue).joined(separator: ", ")
}
