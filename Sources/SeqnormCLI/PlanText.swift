import Inference

/// The plan of a model for a person: a line a node.
struct PlanText {
    let report: PlanReport

    let precision: Precision

    init(_ report: PlanReport, precision: Precision = .float32) {
        self.report = report
        self.precision = precision
    }

    /// The lines; each ends with a line break.
    var text: String {
        var lines: [String] = []
        if let fault = report.fault { lines.append("every sequence is run alone: \(fault)") }
        let width = report.steps.map(\.operatorType.count).max() ?? 0
        for step in report.steps {
            let name = step.operatorType.padded(to: width)
            let note = step.isFiltered ? "  (filtered)" : ""
            lines.append(
                "\(step.way.word.padded(to: 11)) \(name)  \(step.result ?? "?")  \(step.path)\(note)"
            )
            if case .sequences(let reason) = step.way {
                lines.append(String(repeating: " ", count: 12) + reason)
            }
        }
        if precision != .float32 {
            let way = precision.isNative ? "" : ", emulated"
            let others = report.steps.contains { $0.isFiltered } ? ", but for filtered convolutions" : ""
            lines.append(
                "products with constant weights in \(precision) (\(Precision.instructions)\(way))\(others)"
            )
        }
        let packed = report.steps.count { $0.way == .packed }
        let single = report.steps.count { if case .sequences = $0.way { true } else { false } }
        lines.append("\(packed) nodes packed, \(single) by sequence")
        return lines.map { $0 + "\n" }.joined()
    }
}

extension PlanReport.Way {
    /// What stands at the beginning of a line.
    fileprivate var word: String {
        switch self {
        case .packed: "packed"
        case .known: "known"
        case .sequences: "by sequence"
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
