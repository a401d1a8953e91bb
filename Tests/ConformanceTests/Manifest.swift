import Foundation

/// What `manifest.txt` says of each case: `NAME pass`, or `NAME skip: REASON`.
struct Manifest {
    enum Verdict: Equatable {
        case pass
        case skip(reason: String)
    }

    /// A line that says nothing, or a name that stands twice.
    struct Fault: Error, CustomStringConvertible {
        let line: String
        var description: String { "manifest.txt: \(line)" }
    }

    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("manifest.txt")

    private(set) var verdicts: [String: Verdict] = [:]

    init() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
            let verdict: Verdict? =
                switch parts.dropFirst() {
                case ["pass"]: .pass
                case let rest where rest.count == 2 && rest.first == "skip:": .skip(reason: parts[2])
                default: nil
                }
            guard let verdict, verdicts.updateValue(verdict, forKey: parts[0]) == nil else {
                throw Fault(line: String(line))
            }
        }
    }

    /// Writes the manifest that is true of a run; reasons given by hand for cases that still fail stay.
    static func write(_ run: ConformanceRun) throws {
        let before = try? Manifest()
        var lines = [
            "# ONNX's own cases, and whether the engine gives what they say: NAME pass | NAME skip: REASON.",
            "# After a change, SEQNORM_UPDATE_MANIFEST=1 swift test --filter ConformanceTests writes it anew.",
        ]
        for outcome in run.outcomes {
            guard let failure = outcome.failure else {
                lines.append("\(outcome.name) pass")
                continue
            }
            var reason = failure.split(whereSeparator: \.isNewline).joined(separator: " ")
            if let words = OutOfScope.reason(outcome) {
                reason = words
            } else if case .skip(let written)? = before?.verdicts[outcome.name],
                written.hasPrefix("out of scope")
            {
                reason = written
            }
            lines.append("\(outcome.name) skip: \(reason)")
        }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
    }
}
