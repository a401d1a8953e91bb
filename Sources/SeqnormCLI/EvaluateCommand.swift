import ArgumentParser
import FoundationEssentials
import Inference
import ONNXGraph
import TensorCore

/// Runs a folder of models, each on its inputs; for tests that hold thousands of answers against another engine.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Runs each model of a folder on its inputs.",
        discussion: """
            For each NAME.onnx that has a NAME.inputs, a model file whose initializers are the inputs, writes \
            NAME.outputs of the same kind, with the planner's rewriting, and NAME.plain, without it; the tensors of a \
            sequence stand one after the other. Where a model cannot be run, NAME.error says why.
            """,
        shouldDisplay: false
    )

    @Argument(help: "The folder.")
    var folder: String

    @OptionGroup var limits: LimitOptions
    @OptionGroup var passes: PassOptions

    func run() throws {
        let place = URL(fileURLWithPath: folder, isDirectory: true)
        let limits = try limits.limits()
        let disabled = try passes.setting().value.passes
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
            .filter { $0.hasSuffix(".inputs") }.map { String($0.dropLast(7)) }.sorted()
        for name in names {
            let file = place.appendingPathComponent(name)
            do {
                try Self.evaluate(file, limits, without: disabled)
            } catch {
                try Data("\(error)".utf8).write(to: file.appendingPathExtension("error"))
            }
        }
        print("\(names.count) models")
    }

    private static func evaluate(
        _ file: URL,
        _ limits: ModelLimits,
        without disabled: Set<PassName>
    ) throws {
        let model = try Model(contentsOf: file.appendingPathExtension("onnx"), limits: limits)
        try model.validate()
        var inputs: [String: Value] = [:]
        for input in try Model(contentsOf: file.appendingPathExtension("inputs")).graph.initializers {
            inputs[input.name] = input.isText ? .strings(try input.strings()) : .tensor(try input.tensor())
        }
        for (suffix, rewriting) in [("outputs", true), ("plain", false)] {
            let plan = try ExecutionPlan(model, rewriting: rewriting, without: disabled)
            let outputs = try plan.run(values: inputs)
            let graph = Graph(
                name: "outputs",
                nodes: [],
                initializers: zip(plan.outputNames, outputs).flatMap { initializers($0, $1) },
                outputs: []
            )
            try Model(graph: graph, opsetImports: ["": 17]).serialized()
                .write(to: file.appendingPathExtension(suffix))
        }
    }

    private static func initializers(_ name: String, _ value: Value) -> [Initializer] {
        switch value {
        case .tensor(let tensor): [Initializer(name, tensor)]
        case .strings(let strings): [Initializer(name, strings)]
        case .sequence(let tensors): tensors.enumerated().map { Initializer("\(name).\($0)", $1) }
        case .none: []
        }
    }
}
