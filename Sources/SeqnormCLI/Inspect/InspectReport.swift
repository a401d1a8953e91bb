import Inference

/// A model's summary as text for people.
struct InspectReport {
    private let summary: ModelSummary

    init(_ summary: ModelSummary) { self.summary = summary }

    /// The whole report, lines ending in a newline.
    ///
    /// - Parameter title: What the first line says.
    /// - Returns: The report.
    func text(title: String) -> String {
        let opset = summary.opset.map { ", opset \($0)" } ?? ""
        let producer = summary.producer.isEmpty ? "" : ", made by \(summary.producer)"
        var lines = [
            title,
            row("digest", "sha256:\(summary.digest)"),
            row("format", "IR \(summary.irVersion)\(opset)\(producer)"),
            row("parameters", "\(summary.parameters)"),
            "", "signature",
        ]
        lines += signatureLines
        lines += ["", "operators"]
        lines += TextTable.lines(summary.operators.map { ["\($0.count)", $0.name] }, rightAligned: [0])
        lines += ["", "normalization sites"]
        lines += summary.sites.isEmpty ? ["  none"] : TextTable.lines(summary.sites.map(cells))
        return lines.joined(separator: "\n") + "\n"
    }

    private var signatureLines: [String] {
        guard let signature = summary.signature else { return [row("unknown", summary.signatureFault ?? "")] }
        var lines: [String] = []
        switch signature.sequence.kind {
        case .features(.channelsFirst, let channels):
            lines.append(row("sequence", "\(signature.sequence.name): float32 [batch, \(channels), time]"))
        case .features(.channelsLast, let channels):
            lines.append(row("sequence", "\(signature.sequence.name): float32 [batch, time, \(channels)]"))
        case .tokens:
            let limit = signature.tokenLimit.map { ", tokens 0 to \($0 - 1)" } ?? ""
            lines.append(row("sequence", "\(signature.sequence.name): int64 [batch, time]\(limit)"))
        }
        if let mask = signature.mask {
            let axes = mask.rank == 3 ? "[batch, 1, time]" : "[batch, time]"
            lines.append(row("mask", "\(mask.name): \(mask.elementType.rawValue) \(axes)"))
        } else {
            lines.append(row("mask", "none"))
        }
        if let lengths = signature.lengths {
            lines.append(row("lengths", "\(lengths.name): \(lengths.elementType.rawValue) [batch]"))
        }
        for output in signature.outputs {
            let features = output.features.map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
            let kind = output.kind == .perSequence ? "a row for a sequence" : "a row for a position"
            lines.append(row("output", "\(output.name): \(kind), [\(features)]"))
        }
        if let alphabet = signature.alphabet {
            let letters = alphabet.ids.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key).joined()
            lines.append(row("alphabet", letters))
        }
        if let padID = signature.padID { lines.append(row("pad id", "\(padID)")) }
        if let labels = signature.labels { lines.append(row("labels", labels.joined(separator: ", "))) }
        return lines
    }

    private func cells(_ site: ModelSummary.Site) -> [String] {
        let steps =
            site.steps.isEmpty ? "all steps" : site.steps.map(String.init).joined(separator: " x ") + " steps"
        return [
            site.name, site.kind == .batchNormalization ? "BatchNormalization" : "affine chain",
            "\(site.channels) channels", steps, "statistics \(site.shape)",
            "mean \(Self.range(site.meanRange))", "variance \(Self.range(site.varianceRange))",
        ]
    }

    private static func range(_ range: [Float]?) -> String {
        guard let range, range.count == 2 else { return "?" }
        return "\(rounded(range[0])) to \(rounded(range[1]))"
    }

    /// Four digits that count; shorter than the shortest that gives the same number back.
    private static func rounded(_ value: Float) -> String {
        guard value != 0, value.isFinite else { return "\(value)" }
        var scale: Float = 1
        while abs(value) * scale < 1000 && scale < 1e30 { scale *= 10 }
        return "\((value * scale).rounded() / scale)"
    }

    private func row(_ key: String, _ value: String) -> String {
        "  " + key + String(repeating: " ", count: max(1, 12 - key.count)) + value
    }
}
