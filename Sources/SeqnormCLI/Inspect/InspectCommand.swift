import ArgumentParser
import FoundationEssentials
import Inference
import ONNXGraph

/// Prints what a model is and how it would be run, without running it.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Prints a model's signature, operators, normalization sites, parameters and digest.",
        discussion: "Exit code 1 if the file is broken or its signature cannot be told."
    )

    @Argument(help: "An .onnx file, or a model's folder (the highest version counts).", completion: .file())
    var model: String

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print how each node is run over a batch: packed, known beforehand, or by sequence, and why.")
    var plan = false

    @Option(
        help: "Draw the model into a file as well: .svg (by Graphviz's dot) or .dot.",
        completion: .file(extensions: ["svg", "dot"])
    )
    var graph: String?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var passes: PassOptions
    @OptionGroup var precision: PrecisionOptions

    func validate() throws {
        if let graph, !GraphFile.endings.contains(FilePath.ending(graph)) {
            throw ValidationError("--graph must end in .svg or .dot")
        }
        if !plan, !passes.disabled.isEmpty { throw ValidationError("--disable-pass goes with --plan") }
        if !plan, precision.precision != nil { throw ValidationError("--precision goes with --plan") }
    }

    func run() throws {
        let limits = try limits.limits()
        let disabled = try passes.setting().value.passes
        let place = try ModelArgument(path: model)
        let bytes = try place.bytes()
        let drawing = try graph.map { path throws(CommandFault) in try GraphFile(path: path) }
        let loaded = try CommandFault.locating(place.file.path) { try Self.load(place, bytes, limits) }
        try drawing?.write(loaded, title: model)
        if plan {
            return try printPlan(place, loaded, without: disabled, precision: precision.setting().value)
        }
        let summary = try CommandFault.locating(place.file.path) {
            try Self.summary(of: place, bytes, loaded)
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(summary), as: UTF8.self))
        } else {
            print(InspectReport(summary).text(title: model), terminator: "")
        }
        if let fault = summary.signatureFault { throw CommandFault(place: place.file.path, reason: fault) }
    }

    private func printPlan(
        _ place: ModelArgument,
        _ model: Model,
        without disabled: Set<PassName>,
        precision: Precision
    ) throws {
        let report = try CommandFault.locating(place.file.path) {
            let loaded = try SequenceModel(
                model: model,
                override: try place.document(),
                disabledPasses: disabled,
                precision: precision
            )
            return try loaded.planReport(for: .outputs([]))
        }
        print(PlanText(report, precision: precision).text, terminator: "")
    }

    private static func load(_ place: ModelArgument, _ bytes: Data, _ limits: ModelLimits) throws -> Model {
        let folder = place.file.deletingLastPathComponent()
        let model = try Model(serialized: bytes, folder: folder, limits: limits)
        try model.validate()
        return model
    }

    private static func summary(of place: ModelArgument, _ bytes: Data, _ model: Model) throws -> ModelSummary
    {
        ModelSummary(of: model, digest: Digest.sha256Hex(bytes), document: try place.document())
    }
}
