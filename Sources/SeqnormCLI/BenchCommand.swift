import ArgumentParser
import FoundationEssentials
import Inference
import ONNXGraph
import Serving
import TensorCore

/// Times a model on made-up sequences, without a server.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times a model on made-up sequences, without a server.",
        discussion: """
            Runs `--sequences` sequences of `--length` positions as one batch, `--iterations` times on `--threads` threads, \
            `--rounds` times over, and prints the microseconds a batch took in the fastest and in the median round.

            With `--batch`, runs the batch of a safetensors file (`rows`: [R, C] float32 or [R] int64 tokens, sequence \
            after sequence; `lengths`: int64) for `--seconds` instead, and prints a line of JSON: seconds a batch, on \
            the wall and of the thread that runs it.
            """
    )

    @Argument(help: "An .onnx file, or a model's folder (the highest version counts).", completion: .file())
    var model: String
    @Option(help: "Positions in each sequence.")
    var length = 100
    @Option(help: "Sequences in a batch.")
    var sequences = 1
    @Option(help: "Batches in a round.")
    var iterations = 200
    @Option(help: "Rounds.")
    var rounds = 5
    @Option(help: "Threads that a batch is shared between.")
    var threads = 1
    @Option(help: "ragged (no padding is computed) or padded (to the longest, with a mask).")
    var batching = Batching.ragged

    @Option(help: ArgumentHelp("A safetensors file with a batch; may be repeated.", valueName: "file"))
    var batch: [String] = []
    @Option(help: "How long each file's batch is repeated.")
    var seconds = 1.0
    @Option(help: ArgumentHelp("Where the outputs of the last file's batch are written.", valueName: "file"))
    var answers: String?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var passes: PassOptions
    @OptionGroup var precision: PrecisionOptions

    func validate() throws {
        guard seconds > 0, seconds <= 3600 else {
            throw ValidationError("--seconds must be above 0, at most 3600")
        }
        guard answers == nil || !batch.isEmpty else { throw ValidationError("--answers needs --batch") }
        guard (1...ComputePool.maximumThreadCount).contains(threads) else {
            throw ValidationError("--threads must be in 1...\(ComputePool.maximumThreadCount)")
        }
        for (name, value) in [
            ("length", length), ("sequences", sequences), ("iterations", iterations), ("rounds", rounds),
        ] where !(1...1_000_000).contains(value) {
            throw ValidationError("--\(name) must be in 1...1000000")
        }
    }

    func run() async throws {
        let limits = try limits.limits()
        let disabled = try passes.setting().value.passes
        let precision = try precision.setting().value
        let place = try ModelArgument(path: model)
        let bytes = try place.bytes()
        let pool = ComputePool(threads: threads)
        try await pool.run {
            Result {
                try CommandFault.locating(place.file.path) {
                    try measure(load(place, bytes, limits, disabled, precision))
                }
            }
        }.get()
        await pool.shutdown()
    }

    private func load(
        _ place: ModelArgument,
        _ bytes: Data,
        _ limits: ModelLimits,
        _ disabled: Set<PassName>,
        _ precision: Precision
    ) throws -> SequenceModel {
        let folder = place.file.deletingLastPathComponent()
        let model = try Model(serialized: bytes, folder: folder, limits: limits)
        try model.validate()
        return try SequenceModel(
            model: model,
            override: place.document(),
            disabledPasses: disabled,
            precision: precision
        )
    }

    private func measure(_ model: SequenceModel) throws {
        let executor = try model.executor(for: .outputs(model.predictOutputs), batching: batching)
        guard batch.isEmpty else { return try measureFiles(executor) }
        let batch = try Self.madeUpBatch(
            for: model.signature,
            lengths: Array(repeating: length, count: sequences)
        )
        _ = try executor.run(batch)
        let clock = ContinuousClock()
        var microseconds: [Double] = []
        for _ in 0..<rounds {
            let elapsed = try clock.measure {
                for _ in 0..<iterations { _ = try executor.run(batch) }
            }
            microseconds.append(elapsed / .microseconds(1) / Double(iterations))
        }
        let shown = microseconds.sorted().map { ($0 * 100).rounded() / 100 }
        print("\(shown[0]) us fastest, \(shown[rounds / 2]) us median")
    }

    private func measureFiles(_ executor: any SequenceExecutor) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        for path in batch {
            let file = try BenchBatch(path: path)
            let times = try file.times(executor, seconds: seconds)
            print(String(decoding: try encoder.encode(times), as: UTF8.self))
            if path == batch.last, let answers { try file.writeAnswers(executor, to: answers) }
        }
    }

    /// Sequences with a fixed, irregular content that any model of the signature takes.
    static func madeUpBatch(for signature: Signature, lengths: [Int]) throws -> SequenceBatch {
        let rows = lengths.reduce(0, +)
        switch signature.sequence.kind {
        case .features(_, let channels):
            let values = (0..<rows * channels).map { Float(($0 &* 2_654_435_761) % 2001) / 1000 - 1 }
            return try SequenceBatch(
                rows: Tensor(values, shape: Shape(checking: [rows, channels])),
                lengths: lengths
            )
        case .tokens:
            let limit = max(1, signature.alphabet?.count ?? signature.tokenLimit ?? 1)
            return try SequenceBatch(
                rows: Tensor((0..<rows).map { Int64(($0 &* 7) % limit) }, shape: Shape(checking: [rows])),
                lengths: lengths
            )
        }
    }
}
