public import Inference
public import NIOCore

/// Writes the answers of `:predict` and `:normalize` in TensorFlow Serving's row format.
///
/// ```json
/// {"predictions": [ANSWER, ...]}
/// {"normalized": [ANSWER, ...]}
/// ```
///
/// One ANSWER a sequence, in the order of the request. With one output it is that output's value alone, with
/// several an object `{"name": value, ...}` in the order asked for. A value per sequence is `[F numbers]`; a
/// value per position is `[[F numbers] x L]`, time first, L the sequence's own length and nothing for padding.
///
/// With `top_k`, a value per sequence that holds a number for each of the model's labels is written as
/// `[{"label": "3", "probability": 0.9}, {"label": "7", "probability": 0.05}]`: the k likeliest classes,
/// likeliest first (of equal ones the first of the labels), with `softmax` over all classes of the output, taken
/// as logits: `p[i] = exp(x[i] - max x) / sum_j exp(x[j] - max x)`.
///
/// A number is the shortest decimal that reads back as the same float32. NaN and infinities are written as
/// `null`, since JSON has no word for them (TensorFlow Serving writes a bare `NaN`, which strict readers refuse).
public struct PredictionsEncoder: Sendable {
    /// The name of the list of answers.
    public enum Key: String, Sendable {
        /// The answer of `:predict`.
        case predictions
        /// The answer of `:normalize`.
        case normalized
    }

    private let key: Key
    private let labels: [String]?
    private let topK: Int?

    /// An encoder.
    ///
    /// - Parameters:
    ///   - key: The name of the list.
    ///   - labels: The model's class names, needed for `topK`.
    ///   - topK: How many classes to name; nil for the numbers themselves.
    public init(key: Key = .predictions, labels: [String]? = nil, topK: Int? = nil) {
        self.key = key
        self.labels = labels
        self.topK = topK
    }

    /// Writes the answers of a request.
    ///
    /// - Parameter outputs: At least one, all of the same sequences.
    /// - Returns: One JSON object.
    /// - Complexity: O(numbers).
    public func encode(_ outputs: [SequenceOutput]) -> ByteBuffer {
        let answers = AnswerWriter(outputs: outputs, labels: labels, topK: topK)
        var writer = JSONWriter(capacity: answers.capacity)
        writer.raw("{")
        writer.key(key.rawValue)
        writer.raw("[")
        writer.list(0..<answers.count) { writer, sequence in answers.write(sequence, to: &writer) }
        writer.raw("]}")
        return writer.buffer
    }
}
