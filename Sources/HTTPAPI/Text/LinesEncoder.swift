public import Inference
public import NIOCore
import Serving

/// Writes answers to records of a text body: JSON Lines, a line a record, in order.
///
/// ```json
/// {"id":"a","predictions":[0.25,1.5]}
/// {"id":"b","line":2,"error":"the letter is not in the model's alphabet","code":"invalid_input","status":422,"path":"sequence[7]"}
/// ```
/// `id` is the record's own, and missing where it has none. The value of `predictions` or `normalized` is an
/// ANSWER of ``PredictionsEncoder``. A record that cannot be answered gets an error on its own line with the line
/// of the request, from 1, and what an error of a whole request has: `error`, `code`, `status` and, where there
/// is one, `path`; the other records are answered all the same, and the response's own status is 200.
public struct LinesEncoder: Sendable {
    /// An error as a line shows it.
    public struct Failure: Sendable, Hashable {
        /// What is wrong, in a sentence.
        public var message: String
        /// The code a program can tell errors apart by: `invalid_input`.
        public var code: String
        /// The status a request of this record alone would have got.
        public var status: Int
        /// The way to the value at fault; empty for the record as a whole.
        public var path: String

        /// A failure.
        ///
        /// - Parameters:
        ///   - message: What is wrong.
        ///   - code: The error code.
        ///   - status: An HTTP status.
        ///   - path: The way to the value at fault.
        public init(message: String, code: String, status: Int, path: String = "") {
            self.message = message
            self.code = code
            self.status = status
            self.path = path
        }
    }

    private let key: PredictionsEncoder.Key
    private let labels: [String]?
    private let topK: Int?

    /// An encoder.
    ///
    /// - Parameters:
    ///   - key: The name of the answer.
    ///   - labels: The model's class names, needed for `topK`.
    ///   - topK: How many classes to name; nil for the numbers themselves.
    public init(key: PredictionsEncoder.Key = .predictions, labels: [String]? = nil, topK: Int? = nil) {
        self.key = key
        self.labels = labels
        self.topK = topK
    }

    /// Writes the answers to some records.
    ///
    /// - Parameters:
    ///   - outputs: What the model says of those records that have a sequence, in their order; empty if none has.
    ///   - records: All records.
    ///   - describe: Turns a record's error into what its line shows.
    /// - Returns: A line a record, each ended by a line feed.
    public func encode(
        _ outputs: [SequenceOutput],
        for records: [SequenceRecord],
        describe: (BodyError) -> Failure = Failure.init
    ) -> ByteBuffer {
        let answers = AnswerWriter(outputs: outputs, labels: labels, topK: topK)
        var writer = JSONWriter(capacity: answers.capacity + records.count * 64)
        var answered = 0
        for record in records {
            switch record.sequence {
            case .success:
                begin(record, &writer)
                writer.key(key.rawValue)
                answers.write(answered, to: &writer)
                writer.raw("}\n")
                answered += 1
            case .failure(let error): write(describe(error), record, &writer)
            }
        }
        return writer.buffer
    }

    /// Writes the answers to some records, and the failures of those that the model has no answer for.
    ///
    /// - Parameters:
    ///   - answer: What the model says of those records that have a sequence.
    ///   - records: All records.
    ///   - describe: Turns a record's own error into what its line shows.
    /// - Returns: A line a record, each ended by a line feed.
    func encode(
        _ answer: InferenceAnswer,
        for records: [SequenceRecord],
        describe: (BodyError) -> Failure
    ) -> ByteBuffer {
        guard !answer.faults.isEmpty else { return encode(answer.outputs, for: records, describe: describe) }
        let answers = AnswerWriter(outputs: answer.outputs, labels: labels, topK: topK)
        var writer = JSONWriter(capacity: answers.capacity + records.count * 64)
        var (asked, answered, fault) = (0, 0, 0)
        for record in records {
            switch record.sequence {
            case .success where fault < answer.faults.count && answer.faults[fault].index == asked:
                write(Failure(APIError(answer.faults[fault].error), path: ""), record, &writer)
                fault += 1
                asked += 1
            case .success:
                begin(record, &writer)
                writer.key(key.rawValue)
                answers.write(answered, to: &writer)
                writer.raw("}\n")
                answered += 1
                asked += 1
            case .failure(let error): write(describe(error), record, &writer)
            }
        }
        return writer.buffer
    }

    /// Writes one failure for every record, such as that of the model; those with an error of their own keep it.
    ///
    /// - Parameters:
    ///   - failure: What befell the records that have a sequence.
    ///   - records: All records.
    ///   - describe: Turns a record's own error into what its line shows.
    /// - Returns: A line a record, each ended by a line feed.
    public func encode(
        _ failure: Failure,
        for records: [SequenceRecord],
        describe: (BodyError) -> Failure = Failure.init
    ) -> ByteBuffer {
        var writer = JSONWriter(capacity: records.count * 128)
        for record in records {
            switch record.sequence {
            case .success: write(failure, record, &writer)
            case .failure(let error): write(describe(error), record, &writer)
            }
        }
        return writer.buffer
    }

    private func begin(_ record: SequenceRecord, _ writer: inout JSONWriter) {
        writer.raw("{")
        guard let id = record.id else { return }
        writer.raw("\"id\":")
        switch id {
        case .string(let text): writer.string(text)
        case .integer(let number): writer.integer(number)
        }
        writer.raw(",")
    }

    private func write(_ failure: Failure, _ record: SequenceRecord, _ writer: inout JSONWriter) {
        begin(record, &writer)
        writer.raw("\"line\":")
        writer.integer(record.errorLine)
        writer.raw(",\"error\":")
        writer.string(failure.message)
        writer.raw(",\"code\":")
        writer.string(failure.code)
        writer.raw(",\"status\":")
        writer.integer(failure.status)
        if !failure.path.isEmpty {
            writer.raw(",\"path\":")
            writer.string(failure.path)
        }
        writer.raw("}\n")
    }
}

extension LinesEncoder.Failure {
    /// A body's error under the code and status it has everywhere.
    ///
    /// - Parameter error: A record's error.
    public init(_ error: BodyError) {
        switch error {
        case .invalidJSON(_, let place):
            self.init(message: error.message, code: "invalid_json", status: 400, path: place.path)
        case .invalidInput(_, let place):
            self.init(message: error.message, code: "invalid_input", status: 422, path: place.path)
        }
    }
}

extension SequenceRecord {
    /// The line of the fault, which in FASTA may come after the record's first.
    fileprivate var errorLine: Int {
        guard case .failure(let error) = sequence else { return line }
        return error.place.line ?? line
    }
}
