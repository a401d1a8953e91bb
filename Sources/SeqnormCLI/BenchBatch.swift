import FoundationEssentials
import Inference
import Safetensors
import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A batch of sequences in a safetensors file, timed.
///
/// The file has `rows`, `[R, C]` float32 or `[R]` int64 tokens, sequence after sequence, and `lengths`, int64.
struct BenchBatch {
    /// What `--batch` prints, a line of JSON for each file.
    struct Times: Encodable, Equatable {
        let batch: String
        let sequences: Int
        let positions: Int
        let repetitions: Int
        /// Time on the wall a batch, mean of all repetitions.
        let seconds: Double
        /// Time on the wall of the fastest batch.
        let fastestSeconds: Double
        /// Processor time of this thread a batch, mean of all repetitions.
        let processorSeconds: Double
    }

    let file: String
    let batch: SequenceBatch

    /// Reads a batch.
    ///
    /// - Parameter path: A safetensors file.
    /// - Throws: A ``CommandFault`` that says what the file lacks.
    init(path: String) throws(CommandFault) {
        file = path
        let tensors = try CommandFault.locating(path) {
            try SafetensorsFile(contentsOf: URL(fileURLWithPath: path)).tensors
        }
        guard let rows = tensors["rows"], let lengths = tensors["lengths"], lengths.elementType == .int64
        else { throw CommandFault(place: path, reason: "has no tensor rows, or no int64 tensor lengths") }
        batch = try CommandFault.locating(path) {
            try SequenceBatch(rows: rows, lengths: lengths.array(of: Int64.self).map { Int($0) })
        }
    }

    /// Runs the batch again and again on this thread.
    ///
    /// - Parameters:
    ///   - executor: What runs it.
    ///   - seconds: How long, on the wall; at least one repetition is timed.
    /// - Returns: What one batch took.
    /// - Throws: What the executor throws.
    func times(_ executor: any SequenceExecutor, seconds: Double) throws -> Times {
        _ = try executor.run(batch)
        let clock = ContinuousClock()
        let (start, processorStart) = (clock.now, Self.processorSeconds())
        var (fastest, repetitions) = (Double.infinity, 0)
        var before = start
        repeat {
            _ = try executor.run(batch)
            let now = clock.now
            fastest = min(fastest, (now - before) / .seconds(1))
            before = now
            repetitions += 1
        } while (before - start) / .seconds(1) < seconds
        return Times(
            batch: file,
            sequences: batch.count,
            positions: batch.rowCount,
            repetitions: repetitions,
            seconds: (before - start) / .seconds(1) / Double(repetitions),
            fastestSeconds: fastest,
            processorSeconds: (Self.processorSeconds() - processorStart) / Double(repetitions)
        )
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Writes the outputs of one run, each packed: `[R, ...]` per position, `[B, ...]` per sequence.
    ///
    /// - Parameters:
    ///   - executor: What runs the batch.
    ///   - path: A safetensors file.
    /// - Throws: What the executor throws, or why the file cannot be written.
    func writeAnswers(_ executor: any SequenceExecutor, to path: String) throws {
        var tensors: [String: Tensor] = [:]
        for output in try executor.run(batch) { tensors[output.name] = output.rows }
        try SafetensorsFile(tensors: tensors).serialized().write(to: URL(fileURLWithPath: path))
    }
}
