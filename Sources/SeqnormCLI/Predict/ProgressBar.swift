/// A line on standard error that shows how far a run is.
///
/// `[============            ]  50 %  1234 sequences, 617/s`
struct ProgressBar {
    private static let width = 24
    private let isShown: Bool
    private let total: Int?
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant?
    private var isDrawn = false

    /// A bar for a total of bytes.
    ///
    /// - Parameters:
    ///   - totalBytes: How many bytes there are to read; nil if that is not known.
    ///   - isShown: Whether anything is drawn: where somebody watches, and nothing else is written.
    init(totalBytes: Int?, isShown: Bool) {
        total = totalBytes
        self.isShown = isShown
    }

    /// Draws the bar, at most ten times a second.
    mutating func update(bytes: Int, sequences: Int) {
        let now = ContinuousClock.now
        guard isShown, shown.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
        shown = now
        isDrawn = true
        let text = Self.text(
            bytes: bytes,
            of: total,
            sequences: sequences,
            seconds: (now - start) / .seconds(1),
            columns: StandardStream.error.columns ?? 80
        )
        StandardStream.error.write("\r\(text)\u{1B}[K")
    }

    /// Takes the bar away.
    mutating func clear() {
        guard isDrawn else { return }
        isDrawn = false
        StandardStream.error.write("\r\u{1B}[K")
    }

    /// What the bar shows; a narrow terminal gets less of it, as a line that wraps could not be taken away.
    static func text(bytes: Int, of total: Int?, sequences: Int, seconds: Double, columns: Int) -> String {
        let perSecond = seconds > 0 ? Double(sequences) / seconds : 0
        let count = "\(sequences) \(sequences == 1 ? "sequence" : "sequences")"
        let rate = "\(count), \(perSecond < 1e15 ? Int(perSecond) : 0)/s"
        var forms = [rate, count]
        if let total, total > 0 {
            let share = min(Double(max(bytes, 0)) / Double(total), 1)
            let filled = Int(share * Double(width))
            let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
            let digits = String(Int(share * 100))
            let percent = String(repeating: " ", count: 3 - digits.count) + digits + " %"
            forms = ["[\(bar)] \(percent)  \(rate)", "\(percent)  \(rate)", percent]
        }
        return forms.first { $0.count < columns } ?? ""
    }
}
