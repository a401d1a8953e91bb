import ArgumentParser
import FoundationEssentials
import Freezing
import Inference
import ONNXGraph
import Reporting
import Statistics

/// Makes an inference graph of a training graph, with the statistics of data put in.
struct FreezeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze",
        abstract: "Makes an inference graph of a training graph.",
        discussion: """
            Finds the batch statistics of the graph at any depth of Scan and Loop, estimates those of the population \
            over data, puts them in, verifies the result and writes it. Nothing appears under its name before \
            everything is verified. --dry-run only prints what is found.

            With --partial, statistics of a share of the data are written instead; --merge makes the graph from \
            such shares, with the same bits as one run over all of them.
            """
    )

    @Argument(
        help: "The training graph, an .onnx file or a model's folder; with --recalibrate, a frozen one.",
        completion: .file()
    )
    var model: String

    @OptionGroup var batches: BatchArguments
    @OptionGroup var reports: ReportArguments

    @Option(name: .shortAndLong, help: "The file to write.", completion: .file(extensions: ["onnx"]))
    var output: String?

    @Flag(help: "Print what is found, and stop.")
    var dryRun = false

    @Option(
        help:
            "The name of a value that is a batch statistic, or a regular expression; may be given several times."
    )
    var statistic: [String] = []

    @Flag(help: "Do not search for means and variances written with plain operators.")
    var noPatterns = false

    @Option(
        help: """
            pooled (all positions of all batches weigh the same), mean-of-batches, or gist. (default: pooled where \
            the counts are known, else mean-of-batches)
            """
    )
    var estimator: Estimator?

    @Option(help: "What a batch says of steps after its last: repeat (its last step), or hold (nothing).")
    var tail = Tail.repeat

    @Option(
        help: """
            What a training-mode BatchNormalization is estimated over: exclude (valid positions, and the graph runs \
            on their statistics), include (all), or observe (valid positions, while the graph runs on all).
            """
    )
    var padding = Padding.exclude

    @Option(help: "Write the statistics of this share of the data instead of a graph.", completion: .file())
    var partial: String?

    @Option(
        parsing: .upToNextOption,
        help: "Take these shares' statistics; --data then only serves to verify.",
        completion: .file()
    )
    var merge: [String] = []

    @Flag(help: "Estimate the statistics of a frozen graph anew.")
    var recalibrate = false

    @OptionGroup var limits: LimitOptions

    func validate() throws {
        guard !dryRun else { return }
        if partial == nil && output == nil { throw ValidationError("say where to write: --output FILE") }
        if partial != nil && output != nil {
            throw ValidationError("--partial writes no graph; leave out --output")
        }
        if partial != nil && !reports.paths.isEmpty {
            throw ValidationError(
                "--partial writes no report; give --report, --json, --statistics to --merge"
            )
        }
        if merge.isEmpty && batches.data == nil {
            throw ValidationError("say what to estimate from: --data FILE or --merge PART ...")
        }
        if !merge.isEmpty && partial != nil && batches.data != nil {
            throw ValidationError("--merge and --partial need no --data")
        }
    }

    func run() throws {
        let interruption = Interruption()
        interruption.watch()
        try FreezeJob(command: self, interruption: interruption).run()
    }
}
