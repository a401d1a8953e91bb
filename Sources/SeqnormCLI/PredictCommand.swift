import ArgumentParser
import FoundationEssentials
import HTTPAPI
import Inference
import Serving
import TensorCore

/// Answers the sequences of a file with a model, without a server.
struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Answers the sequences of a file with a model.",
        discussion: """
            Reads JSON Lines (a sequence a line, or objects with "id" and "sequence") or FASTA, and writes JSON \
            Lines in the same order: {"id": ..., "predictions": ...}. An output file appears under its name when \
            it is complete.
            """
    )

    @Argument(help: "An .onnx file or a model's folder.")
    var model: String

    @Option(help: "The file to read; - is standard input.")
    var input = "-"

    @Option(help: "The file to write; - is standard output.")
    var output = "-"

    @Option(help: "How the input is written: jsonl or fasta. Else the extension tells, or the first byte.")
    var format: RecordFormat?

    @Option(help: "What a bad record does: stop, or skip it. Either way its line is named on standard error.")
    var onError = PredictJob.OnError.stop

    @Option(help: "Name the k likeliest classes with their probabilities.")
    var topK: Int?

    @Option(help: "The output to answer; may be given several times.")
    var outputName: [String] = []

    @Option(
        help: "How a group is run: ragged or padded. The answers are the same.",
        transform: { name in
            guard let batching = Batching(rawValue: name) else {
                throw ValidationError("--batching must be ragged or padded")
            }
            return batching
        }
    )
    var batching = Batching.ragged

    @Option(help: "Compute threads; else one a core.")
    var threads: Int?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var passes: PassOptions
    @OptionGroup var precision: PrecisionOptions

    @Flag(help: "Compare the answers with the records' labels and print the accuracy on standard error.")
    var accuracy = false

    func validate() throws {
        if let topK, topK < 1 { throw ValidationError("--top-k must be at least 1") }
        if let threads, threads < 1 || threads > ComputePool.maximumThreadCount {
            throw ValidationError("--threads must be from 1 to \(ComputePool.maximumThreadCount)")
        }
        if Set(outputName).count != outputName.count {
            throw ValidationError("--output-name names one twice")
        }
    }

    func run() async throws {
        let path = model
        let (model, lengthLimit) = try await PredictModel.load(
            path: path,
            limits: limits.limits(),
            disabledPasses: passes.setting().value.passes,
            precision: precision.setting().value
        )
        let names = try model.outputNames(outputName, path: path)
        if topK != nil || accuracy { try model.checkClasses(of: names, topK: topK, path: path) }
        let input = try RecordInput(path: input)
        let first = try input.nextPiece()
        let format =
            format ?? RecordFormat(fileExtension: URL(fileURLWithPath: input.name).pathExtension)
            ?? RecordFormat(beginningOf: first)
        let decoder = try CommandFault.locating(path) { try format.decoder(for: model.signature) }
        let executor = try CommandFault.locating(path) {
            try model.executor(for: .outputs(names), batching: batching)
        }
        let output = try PredictOutput(path: output)
        do {
            let summary = try await run(
                executor,
                labels: model.signature.labels,
                lengthLimit: lengthLimit,
                decoder: decoder,
                input: input,
                first: first,
                output: output
            )
            try output.commit()
            try report(summary, of: input.name)
        } catch {
            output.discard()
            throw error
        }
    }

    private func run(
        _ executor: any SequenceExecutor,
        labels: [String]?,
        lengthLimit: LengthLimit?,
        decoder: any RecordDecoder,
        input: RecordInput,
        first: [UInt8],
        output: PredictOutput
    ) async throws -> PredictJob.Summary {
        let pool = ComputePool(threads: threads)
        let job = PredictJob(
            model: { try executor.run($0) },
            encoder: LinesEncoder(labels: labels, topK: topK),
            lengthLimit: lengthLimit,
            onError: onError,
            pool: pool
        )
        var progress = ProgressBar(
            totalBytes: input.byteCount,
            isShown: StandardStream.error.isTerminal && !output.isTerminal
        )
        defer { progress.clear() }
        var head: [UInt8]? = first
        let summary = try await job.run(
            decoder: decoder,
            input: (
                next: { () throws(PredictError) in
                    guard let piece = head else {
                        do throws(CommandFault) { return try input.nextPiece() } catch {
                            throw .cannotRead(error)
                        }
                    }
                    head = nil
                    return piece
                }, name: input.name
            ),
            output: { (lines) throws(PredictError) in try output.write(lines) },
            progress: &progress,
            accuracy: accuracy ? Accuracy(labels: labels) : nil
        )
        await pool.shutdown()
        return summary
    }

    private func report(_ summary: PredictJob.Summary, of file: String) throws {
        if summary.skipped > 0 {
            StandardStream.error.say("\(summary.sequences) answered, \(summary.skipped) skipped")
        }
        guard let accuracy = summary.accuracy else { return }
        guard accuracy.count > 0 else { throw PredictError.labelsMissing(file: file) }
        StandardStream.error.say(accuracy.summary)
    }
}

extension PredictJob.OnError: ExpressibleByArgument {}
