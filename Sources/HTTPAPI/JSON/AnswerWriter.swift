import Inference
import TensorCore

/// Writes what a model says of single sequences, in TensorFlow Serving's row format.
struct AnswerWriter {
    private let outputs: [SequenceOutput]
    private let starts: [[Int]]
    private let labels: [String]?
    private let topK: Int?

    init(outputs: [SequenceOutput], labels: [String]?, topK: Int?) {
        self.outputs = outputs
        self.labels = labels
        self.topK = topK
        starts = outputs.map { output in
            var sum = 0
            return (output.lengths ?? []).map { length in
                defer { sum += length }
                return sum
            }
        }
    }

    /// The number of sequences.
    var count: Int {
        outputs.first.map { $0.lengths?.count ?? ($0.rows.shape.rank > 0 ? $0.rows.shape[0] : 0) } ?? 0
    }

    /// An upper estimate of the text's size in bytes.
    var capacity: Int { outputs.reduce(64) { $0 + $1.rows.count * 14 + 64 } }

    /// The answer for one sequence: the value of the only output, or an object of all.
    func write(_ sequence: Int, to writer: inout JSONWriter) {
        if outputs.count == 1 { return write(sequence, of: 0, to: &writer) }
        writer.raw("{")
        writer.list(outputs.indices) { writer, index in
            writer.key(outputs[index].name)
            write(sequence, of: index, to: &writer)
        }
        writer.raw("}")
    }

    private func write(_ sequence: Int, of index: Int, to writer: inout JSONWriter) {
        let output = outputs[index]
        if let lengths = output.lengths {
            let start = starts[index][sequence]
            writer.nested(output.rows.slice(start..<start + lengths[sequence]))
        } else if let topK, let labels, output.isClassification(classCount: labels.count) {
            write(TopClasses(logits: output.rows.element(sequence).doubles, k: topK), labels, to: &writer)
        } else {
            writer.nested(output.rows.element(sequence))
        }
    }

    private func write(_ top: TopClasses, _ labels: [String], to writer: inout JSONWriter) {
        writer.raw("[")
        writer.list(top.classes.indices) { writer, rank in
            writer.raw("{\"label\":")
            writer.string(labels[top.classes[rank]])
            writer.raw(",\"probability\":")
            writer.float(top.probabilities[rank])
            writer.raw("}")
        }
        writer.raw("]")
    }
}

extension SequenceOutput {
    /// Whether each sequence's row is one number a class.
    func isClassification(classCount: Int) -> Bool {
        lengths == nil && rows.shape.rank == 2 && rows.shape[1] == classCount
            && (rows.elementType == .float32 || rows.elementType == .float64)
    }
}

extension Tensor {
    /// The elements of a tensor of floats or doubles.
    fileprivate var doubles: [Double] {
        elementType == .float64 ? array(of: Double.self) : array(of: Float.self).map(Double.init)
    }
}
