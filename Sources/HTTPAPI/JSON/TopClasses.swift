#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The likeliest classes of one sequence, likeliest first.
struct TopClasses: Equatable {
    /// Indices into the model's labels.
    let classes: [Int]
    let probabilities: [Float]

    /// The `k` largest of `softmax(logits)`; of equal ones the lower class comes first.
    ///
    /// `p[i] = exp(x[i] - max) / sum over j of exp(x[j] - max)`, in double. A logit that is NaN ranks last; it
    /// or an infinite one makes every probability NaN.
    init(logits: [Double], k: Int) {
        func rank(_ a: Int, _ b: Int) -> Bool {
            if logits[a].isNaN { return logits[b].isNaN && a < b }
            return logits[b].isNaN || logits[a] > logits[b] || logits[a] == logits[b] && a < b
        }
        let order = logits.indices.sorted(by: rank).prefix(k)
        let largest = logits.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
        let total = logits.reduce(0) { $0 + exp($1 - largest) }
        classes = Array(order)
        probabilities = order.map { Float(exp(logits[$0] - largest) / total) }
    }

    /// A `top_k` as given, or an error if there are not that many classes.
    static func check(_ topK: Int64, classCount: Int) throws(BodyError) -> Int {
        guard topK >= 1 && topK <= classCount else {
            throw .invalidInput(.topK(classes: classCount), at: BodyPlace())
        }
        return Int(topK)
    }
}
