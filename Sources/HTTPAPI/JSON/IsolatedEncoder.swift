import Inference
import NIOCore
import Serving

/// Writes the answers of a request that tells of single faults, or of how it was run.
///
/// ```json
/// {"predictions": [ANSWER, null, ANSWER],
///  "errors": [{"index": 1, "path": "instances[1][3]", "error": "...", "code": "invalid_input", "status": 422}]}
/// ```
/// `predictions` has a place for each sequence of the request, null where it has no answer; `errors` tells why.
struct IsolatedEncoder {
    let key: PredictionsEncoder.Key
    let labels: [String]?
    let topK: Int?
    /// The faults that were found before the model was asked, in order; nil if the request does not isolate them.
    var faults: [InstanceFault]?

    /// Writes an answer.
    ///
    /// - Parameters:
    ///   - answer: What the model says of the sequences that could be read.
    ///   - count: The number of those.
    ///   - timing: Writes a last member, with its key.
    /// - Returns: One JSON object.
    func encode(
        _ answer: InferenceAnswer,
        count: Int,
        timing: ((inout JSONWriter) -> Void)? = nil
    ) -> ByteBuffer {
        let answers = AnswerWriter(outputs: answer.outputs, labels: labels, topK: topK)
        let told = allFaults(answer.faults, count: count)
        var writer = JSONWriter(capacity: answers.capacity + told.count * 160 + 256)
        writer.raw("{")
        writer.key(key.rawValue)
        writer.raw("[")
        var next = 0
        var fault = told.startIndex
        writer.list(0..<count + (faults?.count ?? 0)) { writer, index in
            if fault < told.endIndex, told[fault].index == index {
                fault += 1
                writer.raw("null")
            } else {
                answers.write(next, to: &writer)
                next += 1
            }
        }
        writer.raw("]")
        if faults != nil {
            writer.raw(",\"errors\":[")
            writer.list(told) { writer, fault in fault.write(to: &writer) }
            writer.raw("]")
        }
        if let timing {
            writer.raw(",")
            timing(&writer)
        }
        writer.raw("}")
        return writer.buffer
    }

    /// The faults of reading and of running, by their place in the request.
    private func allFaults(_ ran: [SequenceFault], count: Int) -> [ToldFault] {
        let unread = (faults ?? []).map { ToldFault(index: $0.index, APIError($0.error)) }
        guard !ran.isEmpty else { return unread }
        let out = Set(unread.map(\.index))
        let read = (0..<count + unread.count).filter { !out.contains($0) }
        let told = ran.map { fault in
            let index = read[fault.index]
            return ToldFault(index: index, APIError(fault.error) { _ in "instances[\(index)]" })
        }
        return (unread + told).sorted { $0.index < $1.index }
    }
}

/// What a client is told of one sequence.
struct ToldFault {
    let index: Int
    let error: APIError

    init(index: Int, _ error: APIError) {
        self.index = index
        self.error = error
    }

    func write(to writer: inout JSONWriter) {
        writer.raw("{\"index\":")
        writer.integer(index)
        writer.raw(",\"path\":")
        writer.string(error.path ?? "instances[\(index)]")
        writer.raw(",\"error\":")
        writer.string(error.message)
        writer.raw(",\"code\":")
        writer.string(error.code.rawValue)
        writer.raw(",\"status\":")
        writer.integer(error.status.code)
        writer.raw("}")
    }
}
