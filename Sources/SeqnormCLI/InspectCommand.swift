import ArgumentParser
import Foundation
import Inference
import ONNXGraph

/// Prints what a model is, without running it.
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

    func run() throws {
        let place = try ModelArgument(path: model)
        let bytes = try place.bytes()
        let summary = try CommandFault.locating(place.file.path) { try Self.summary(of: place, bytes) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(summary), as: UTF8.self))
        } else {
            print(InspectReport(summary).text(title: model), terminator: "")
        }
        if let fault = summary.signatureFault { throw CommandFault(place: place.file.path, reason: fault) }
    }

    private static func summary(of place: ModelArgument, _ bytes: Data) throws -> ModelSummary {
        let model = try Model(serialized: bytes, folder: place.file.deletingLastPathComponent())
        try model.validate()
        return ModelSummary(of: model, digest: Digest.sha256Hex(bytes), document: try place.document())
    }
}
