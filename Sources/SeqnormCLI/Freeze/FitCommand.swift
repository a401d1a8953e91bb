import ArgumentParser
import FoundationEssentials

/// Makes a model that normalizes raw features, of nothing but data.
struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Makes a model that normalizes raw features.",
        discussion: """
            Takes the mean and the variance of every channel over all positions of all sequences, and writes a model \
            with these statistics that `seqnorm serve` serves: `:normalize` answers. The number of channels is that \
            of the first sequence. A model's folder gets the next free version.
            """
    )

    @Argument(
        help: "JSON Lines (- is standard input), or a folder of such files, in the order of their names.",
        completion: .file()
    )
    var data: String

    @Option(
        name: .shortAndLong,
        help: "The model's folder, such as models/normalizer; made if it is missing.",
        completion: .directory
    )
    var output: String

    @OptionGroup var reports: ReportArguments

    func validate() throws {
        if output.isEmpty || data.isEmpty { throw ValidationError("data and --output must not be empty") }
    }

    func run() throws {
        let interruption = Interruption()
        interruption.watch()
        try FitJob(command: self, interruption: interruption).run()
    }
}
