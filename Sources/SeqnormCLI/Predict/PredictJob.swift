import HTTPAPI
import Inference
import Serving
import TensorCore

/// Runs the records of a text through a model, in order and in constant memory.
///
/// Records are gathered into groups; a group is split among the compute threads, and its answers are written in
/// the order of its records before the next group is read.
struct PredictJob: Sendable {
    /// What to do with a record that breaks a rule.
    enum OnError: String, CaseIterable, Sendable { case stop, skip }

    /// What one run did.
    struct Summary: Equatable {
        var sequences = 0
        var skipped = 0
        var accuracy: Accuracy?
    }

    /// Gives the outputs of a batch; runs on the compute threads.
    let model: @Sendable (SequenceBatch) throws -> [SequenceOutput]
    let encoder: LinesEncoder
    /// Which lengths the model takes; nil for all.
    var lengthLimit: LengthLimit?
    let onError: OnError
    let pool: ComputePool
    /// The most records a thread gets at a time.
    var recordsPerThread = 64
    /// The positions after which a thread gets no further record.
    var positionsPerThread = 16_384

    /// Runs all records.
    ///
    /// - Parameters:
    ///   - decoder: At the beginning of the text.
    ///   - input: The text.
    ///   - output: Gets a line an answer.
    ///   - progress: Shown while it runs.
    ///   - accuracy: Counts labels if given.
    /// - Returns: What was done.
    /// - Throws: ``PredictError``.
    func run(
        decoder: any RecordDecoder,
        input: (next: () throws(PredictError) -> [UInt8], name: String),
        output: ([UInt8]) throws(PredictError) -> Void,
        progress: inout ProgressBar,
        accuracy: Accuracy?
    ) async throws(PredictError) -> Summary {
        var decoder = decoder
        var summary = Summary(accuracy: accuracy)
        var group = Group()
        var bytes = 0
        var isAtEnd = false
        while !isAtEnd {
            let piece = try input.next()
            bytes += piece.count
            isAtEnd = piece.isEmpty
            piece.withUnsafeBytes { decoder.append($0) }
            if isAtEnd { decoder.finish() }
            while let record = decoder.next() {
                if let (line, reason) = fault(of: record) {
                    if onError == .stop {
                        try await answer(&group, input.name, output, &summary)
                        throw .badRecord(
                            file: input.name,
                            line: line,
                            reason: reason
                        )
                    }
                    progress.clear()
                    StandardStream.error.say("\(input.name):\(line): skipped: \(reason)")
                    summary.skipped += 1
                    continue
                }
                group.add(record)
                if group.records.count >= recordsPerThread * pool.threadCount
                    || group.positions >= positionsPerThread * pool.threadCount
                {
                    try await answer(&group, input.name, output, &summary)
                    progress.update(bytes: bytes, sequences: summary.sequences)
                }
            }
        }
        try await answer(&group, input.name, output, &summary)
        return summary
    }

    /// The rule that a record breaks, and in which line; nil if it breaks none.
    private func fault(of record: SequenceRecord) -> (line: Int, reason: String)? {
        switch record.sequence {
        case .failure(let error):
            let place = error.place.path
            return (
                error.place.line ?? record.line,
                place.isEmpty ? error.message : "\(place): \(error.message)"
            )
        case .success(let batch):
            guard let lengthLimit, !lengthLimit.allows(batch.rowCount) else { return nil }
            let fault = InputFault.lengthNotServed(positions: batch.rowCount, limit: lengthLimit)
            return (record.line, fault.description)
        }
    }

    private func answer(
        _ group: inout Group,
        _ file: String,
        _ output: ([UInt8]) throws(PredictError) -> Void,
        _ summary: inout Summary
    ) async throws(PredictError) {
        guard !group.records.isEmpty else { return }
        let parts = group.split(into: pool.threadCount)
        group = Group()
        let results = await withTaskGroup(of: (Int, Result<Answer, PredictError>).self) { tasks in
            for (index, part) in parts.enumerated() {
                tasks.addTask { (index, await run(part, of: file)) }
            }
            var results: [(Int, Result<Answer, PredictError>)] = []
            for await result in tasks { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
        for (part, result) in zip(parts, results) {
            let answer = try result.get()
            try output(answer.lines)
            summary.sequences += part.count
            if let first = answer.outputs.first(where: { $0.lengths == nil }) {
                summary.accuracy?.add(part, first)
            }
        }
    }

    private struct Answer: Sendable {
        let outputs: [SequenceOutput]
        let lines: [UInt8]
    }

    private func run(_ records: [SequenceRecord], of file: String) async -> Result<Answer, PredictError> {
        let line = records.first?.line ?? 0
        let result = try? await pool.run { () -> Result<Answer, PredictError> in
            do {
                guard let batch = try SequenceRecord.batch(records) else {
                    return .success(Answer(outputs: [], lines: []))
                }
                let outputs = try model(batch)
                let lines = Array(encoder.encode(outputs, for: records).readableBytesView)
                return .success(Answer(outputs: outputs, lines: lines))
            } catch {
                return .failure(.executionFailed(file: file, line: line, reason: "\(error)"))
            }
        }
        return result
            ?? .failure(
                .executionFailed(file: file, line: line, reason: "the compute threads have stopped")
            )
    }
}

extension PredictJob {
    /// Records that wait for their run.
    struct Group {
        private(set) var records: [SequenceRecord] = []
        private(set) var positions = 0

        mutating func add(_ record: SequenceRecord) {
            records.append(record)
            positions += Self.length(record)
        }

        /// Neighbouring parts of about the same number of positions, none empty.
        func split(into count: Int) -> [[SequenceRecord]] {
            let share = max(1, (positions + count - 1) / count)
            var parts: [[SequenceRecord]] = []
            var part: [SequenceRecord] = []
            var held = 0
            for record in records {
                part.append(record)
                held += Self.length(record)
                if held >= share {
                    parts.append(part)
                    part = []
                    held = 0
                }
            }
            return part.isEmpty ? parts : parts + [part]
        }

        private static func length(_ record: SequenceRecord) -> Int {
            (try? record.sequence.get())?.rowCount ?? 0
        }
    }
}
