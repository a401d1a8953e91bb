import HTTPAPI
import Inference
import TensorCore

/// How many labelled records the model put into their class.
///
/// A label is a class's name, or its number where the labels are not the model's names. Numbers count from 0 if
/// a 0 occurs; else from 1 if the number of classes occurs; else from 0.
struct Accuracy: Equatable {
    private let names: [String]
    private(set) var count = 0
    private var rightByName = 0
    private var rightFromZero = 0
    private var rightFromOne = 0
    private var hasZero = false
    private var hasLast = false

    /// A count of nothing yet.
    ///
    /// - Parameter labels: The model's class names, if it has any.
    init(labels: [String]?) {
        names = labels ?? []
    }

    /// The records whose class has the largest number.
    var right: Int { rightByName + (hasZero || !hasLast ? rightFromZero : rightFromOne) }

    /// Counts the records that have a label and an answer.
    ///
    /// - Parameters:
    ///   - records: Records with and without sequences.
    ///   - output: `[B, classes]`, a row for each record that has a sequence.
    mutating func add(_ records: [SequenceRecord], _ output: SequenceOutput) {
        let classes = output.rows.shape.rank == 2 ? output.rows.shape[1] : 0
        guard output.lengths == nil, classes > 0, output.rows.elementType == .float32 else { return }
        let logits = output.rows.array(of: Float.self)
        let answered = records.filter { (try? $0.sequence.get()) != nil }
        for (row, record) in answered.enumerated() where (row + 1) * classes <= logits.count {
            guard let label = record.label else { continue }
            let own = logits[row * classes..<(row + 1) * classes]
            let best = own.indices.max { own[$0] < own[$1] } ?? own.startIndex
            count(label, best - own.startIndex, classes: classes)
        }
    }

    private mutating func count(_ label: String, _ best: Int, classes: Int) {
        count += 1
        if names.count == classes, let index = names.firstIndex(of: label) {
            rightByName += index == best ? 1 : 0
        } else if let number = Int(label) {
            rightFromZero += number == best ? 1 : 0
            rightFromOne += number == best + 1 ? 1 : 0
            hasZero = hasZero || number == 0
            hasLast = hasLast || number == classes
        }
    }

    /// `accuracy 99.46 % (368 of 370)`, rounded to the nearest hundredth.
    var summary: String {
        let hundredths = count == 0 ? 0 : (right * 10_000 + count / 2) / count
        let fraction = String(hundredths % 100)
        let padding = fraction.count < 2 ? "0" : ""
        return "accuracy \(hundredths / 100).\(padding)\(fraction) % (\(right) of \(count))"
    }
}
