import ArgumentParser

/// Where batches come from, and which records each has.
struct BatchArguments: ParsableArguments {
    @Option(
        help: """
            JSON Lines or FASTA (- is standard input), .safetensors batches, or a folder of such files, in the \
            order of their names.
            """,
        completion: .file()
    )
    var data: String?

    @Option(help: "How the records are written: jsonl or fasta. Else the extension tells, or the first byte.")
    var format: RecordFormat?

    @Option(help: "The most sequences in a batch; batches differ by one at most.")
    var batchSize = 32

    @Option(help: "Which random order the sequences are put in.")
    var seed: UInt64 = 0

    @Option(
        help: #"A JSON file of {"batches": [["id", ...], ...]} instead of --batch-size and --seed."#,
        completion: .file()
    )
    var batches: String?

    @Option(help: "Stop after this many batches.")
    var maxBatches: Int?

    func validate() throws {
        guard (1...1 << 30).contains(batchSize) else {
            throw ValidationError("--batch-size must be in 1...\(1 << 30)")
        }
        if let maxBatches, maxBatches < 1 { throw ValidationError("--max-batches must be at least 1") }
        if data == "" { throw ValidationError("--data must name a file or a folder") }
    }
}
