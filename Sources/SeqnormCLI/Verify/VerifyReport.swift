import Verifying

/// What was found out about a model, as text for people and as JSON.
struct VerifyReport {
    /// The answer of `--json`.
    struct Document: Encodable {
        /// The argument.
        let model: String
        /// Whether no check failed but those that may.
        let held: Bool
        let report: VerificationReport

        private enum CodingKeys: String, CodingKey {
            case model, held, checks, triedLengths, failingLengths, unusedInputs
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(model, forKey: .model)
            try container.encode(held, forKey: .held)
            try container.encode(report.checks, forKey: .checks)
            try container.encode(report.triedLengths, forKey: .triedLengths)
            try container.encode(report.failingLengths, forKey: .failingLengths)
            try container.encode(report.unusedInputs, forKey: .unusedInputs)
        }
    }

    private let report: VerificationReport
    private let allowed: Set<VerificationReport.Check.Kind>

    init(_ report: VerificationReport, allowed: Set<VerificationReport.Check.Kind>) {
        self.report = report
        self.allowed = allowed
    }

    /// The whole report, lines ending in a newline.
    ///
    /// - Parameter title: What the first line says.
    /// - Returns: The report.
    func text(title: String) -> String {
        let rows = report.checks.map { [mark($0), name($0.kind), $0.detail] }
        var lines = [title] + TextTable.lines(rows)
        if !report.failingLengths.isEmpty {
            lines += ["", "lengths that fail"]
            lines += TextTable.lines(
                report.failingLengths.map { ["\($0.length)", $0.reason] },
                rightAligned: [0]
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func mark(_ check: VerificationReport.Check) -> String {
        switch check.outcome {
        case .held: "ok"
        case .noted: "note"
        case .notChecked: "-"
        case .failed: allowed.contains(check.kind) ? "allowed" : "FAILED"
        }
    }

    private func name(_ kind: VerificationReport.Check.Kind) -> String {
        kind.rawValue.replacing("_", with: " ")
    }
}
