import ONNXGraph

/// The lengths tried so far, and bounds found by halving.
struct LengthSearch {
    /// The longest sequence that is tried to see whether there is an upper bound.
    static let longest = 192

    private let trial: (Int) -> LengthProbe.Trial?
    private(set) var trials: [Int: LengthProbe.Trial] = [:]

    init(_ trial: @escaping (Int) -> LengthProbe.Trial?) { self.trial = trial }

    /// The errors, by length.
    var failures: [Int: ExecutionError] {
        trials.compactMapValues { if case .failed(let error) = $0 { error } else { nil } }
    }

    /// The lengths that were answered.
    var answeredLengths: [Int] { trials.filter { $0.value.isAnswered }.keys.sorted() }

    /// Whether a length is answered, tried now if it was not before.
    @discardableResult
    mutating func attempt(_ length: Int) -> Bool {
        if let known = trials[length] { return known.isAnswered }
        guard let made = trial(length) else { return false }
        trials[length] = made
        return made.isAnswered
    }

    /// The shortest length from which on all up to `anchor` seem to be answered.
    mutating func lowerBound(from anchor: Int) -> Int {
        if anchor > 1, !attempt(anchor - 1) { return anchor }
        var (failing, answered) = (0, anchor)
        // Lengths that fail between ones that are answered, as 1 by broadcasting, are the bound.
        if let known = failures.keys.filter({ $0 < anchor }).max() { failing = known }
        if let known = answeredLengths.first(where: { $0 > failing }) { answered = min(answered, known) }
        while answered - failing > 1 {
            let middle = failing + (answered - failing) / 2
            if attempt(middle) { answered = middle } else { failing = middle }
        }
        return answered
    }

    /// The longest length up to which all from `anchor` on seem to be answered; `Int.max` if none fails.
    mutating func upperBound(from anchor: Int) -> Int {
        if !attempt(anchor + 1) { return anchor }
        var answered = anchor + 1
        guard var failing = failures.keys.filter({ $0 > answered }).min() ?? firstFailing(after: answered)
        else { return .max }
        while failing - answered > 1 {
            let middle = answered + (failing - answered) / 2
            if attempt(middle) { answered = middle } else { failing = middle }
        }
        return answered
    }

    private mutating func firstFailing(after length: Int) -> Int? {
        let probe = max(length + 31, Self.longest)
        return attempt(probe) ? nil : probe
    }

    /// What fails first in the order of the model's nodes, of the lengths below the bounds and of the next above.
    ///
    /// Far above, something else may fail earlier, such as the look-up in a table of positions.
    func firstFailure(below lower: Int, above upper: Int) -> LengthLimit.Cause? {
        let next = failures.keys.filter { $0 > upper }.min()
        return failures.filter { $0.key < lower || $0.key == next }.sorted { $0.key < $1.key }
            .map { (order: Self.order($0.value), cause: $0.value.lengthCause) }
            .min { $0.order < $1.order }.flatMap(\.cause)
    }

    private static func order(_ error: ExecutionError) -> Int {
        if case .node(let path, _, _) = error { path.steps.first?.index ?? .max } else { .max }
    }

    /// An output per position that has as many rows for all lengths tried, of more than two.
    var constantOutput: (name: String, rows: Int)? {
        var counts: [String: Set<Int>] = [:]
        var tried: Set<Int> = []
        for (length, trial) in trials where length > 1 {
            guard case .answered(let outputs) = trial else { continue }
            tried.insert(length)
            for output in outputs {
                if let rows = output.lengths?.first { counts[output.name, default: []].insert(rows) }
            }
        }
        guard tried.count > 1 else { return nil }
        return counts.sorted { $0.key < $1.key }.lazy.compactMap { name, rows in
            rows.count == 1 ? rows.first.map { (name, $0) } : nil
        }.first { $0.1 > 1 }
    }
}

extension ExecutionError {
    /// The innermost place that failed, as the cause of a limit.
    var lengthCause: LengthLimit.Cause? {
        switch self {
        case .node(_, _, .subgraphExecution(let inner)): inner.lengthCause
        case .node(let path, let type, let reason): .node(path: path, operatorType: type, reason: reason)
        case .inputShape(let name, _): .declared(input: name)
        case .outputShape(let name, _): .output(name)
        default: nil
        }
    }
}
