import HTTPServer
import Inference
import NIOCore
import Serving

/// The answers to a body of JSON Lines, in order, a few lines at a time as the client takes them.
///
/// Lines that stand together are run together, while the next ones are read. A line that is wrong gets its error in
/// its own place; the others are answered all the same. No more is held than the lines that are run, those that
/// are read meanwhile, and a piece of the body.
struct LineAnswers: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// The most lines that are run, and answered, together.
    static let maxLines = 64
    /// The most positions of all lines that are run together, but for the last line.
    static let maxRows = 8192
    /// How much of the body is read at once.
    static let pieceBytes = 64 << 10

    /// Where the lines come from.
    enum Source: Sendable {
        case whole(ByteBuffer)
        case parts(RequestBody)
    }

    let source: Source
    let decoder: JSONLinesDecoder
    let encoder: LinesEncoder
    let service: InferenceService
    let model: ServedModel
    let wanted: OutputRequest
    /// How the next lines are to be treated; the time of a line counts from when it is taken up.
    let handling: @Sendable () -> RequestHandling
    /// Of the request, if it is recorded.
    let span: RequestSpan?

    func makeAsyncIterator() -> Iterator { Iterator(answers: self, rest: source) }

    struct Iterator: AsyncIteratorProtocol {
        private let answers: LineAnswers
        private var rest: Source
        private var decoder: JSONLinesDecoder
        private var isFinished = false

        init(answers: LineAnswers, rest: Source) {
            self.answers = answers
            self.rest = rest
            decoder = answers.decoder
        }

        mutating func next() async throws -> ByteBuffer? {
            let records = try await nextRecords()
            guard !records.isEmpty else {
                answers.span?.endStream()
                return nil
            }
            return try await answers.answer(records)
        }

        private mutating func nextRecords() async throws -> [SequenceRecord] {
            var records: [SequenceRecord] = []
            var rows = 0
            while records.count < LineAnswers.maxLines, rows < LineAnswers.maxRows {
                if let record = decoder.next() {
                    rows += (try? record.sequence.get().rowCount) ?? 0
                    records.append(record)
                } else if isFinished || (!records.isEmpty && isLive) {
                    // A client may wait for these answers before it sends more.
                    break
                } else if let piece = try await nextPiece() {
                    decoder.append(piece)
                } else {
                    isFinished = true
                    decoder.finish()
                }
            }
            return records
        }

        private var isLive: Bool { if case .parts = rest { true } else { false } }

        private mutating func nextPiece() async throws -> ByteBuffer? {
            switch rest {
            case .parts(let body): return try await body.next()
            case .whole(var body):
                let piece = body.readSlice(length: Swift.min(body.readableBytes, LineAnswers.pieceBytes))
                rest = .whole(body)
                return piece.flatMap { $0.readableBytes > 0 ? $0 : nil }
            }
        }
    }

    /// Answers some lines together; one that cannot be answered gets its error in its place.
    private func answer(_ records: [SequenceRecord]) async throws -> ByteBuffer {
        do {
            guard let batch = try SequenceRecord.batch(records) else {
                return encoder.encode([], for: records, describe: Self.describe)
            }
            let answer =
                switch try service.start(model, wanted, batch, handling()) {
                case .finished(let answer): answer
                case .waiting(let answer): try await answer()
                }
            span?.note(answer.course)
            return encoder.encode(answer, for: records, describe: Self.describe)
        } catch ServingError.cancelled {
            throw ServingError.cancelled
        } catch {
            let failure = LinesEncoder.Failure(APIError(error), path: "")
            return encoder.encode(failure, for: records, describe: Self.describe)
        }
    }

    private static func describe(_ error: BodyError) -> LinesEncoder.Failure {
        LinesEncoder.Failure(APIError(error), path: error.place.path)
    }
}

extension LinesEncoder.Failure {
    /// The failure of one record in the words of every error; `path` is the way from the record inwards.
    init(_ error: APIError, path: String) {
        self.init(
            message: error.message,
            code: error.code.rawValue,
            status: Int(error.status.code),
            path: path
        )
    }
}
