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
        let total = total
        draw { seconds, columns in
            Self.text(bytes: bytes, of: total, sequences: sequences, seconds: seconds, columns: columns)
        }
    }

    /// Draws the bar of a run over batches, at most ten times a second.
    mutating func update(batches: Int, of total: Int) {
        draw { Self.text(batches: batches, of: total, seconds: $0, columns: $1) }
    }

    private mutating func draw(_ text: (_ seconds: Double, _ columns: Int) -> String) {
        let now = ContinuousClock.now
        guard isShown, shown.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
        shown = now
        isDrawn = true
        let line = text((now - start) / .seconds(1), StandardStream.error.columns ?? 80)
        StandardStream.error.write("\r\(line)\u{1B}[K")
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
            let (bar, percent) = bar(Double(max(bytes, 0)) / Double(total))
            forms = ["\(bar) \(percent)  \(rate)", "\(percent)  \(rate)", percent]
        }
        return forms.first { $0.count < columns } ?? ""
    }

    /// What the bar of a run over batches shows: `[====    ]  50 %  5 of 10 batches, 12.5/s, 0:07 left`.
    static func text(batches: Int, of total: Int, seconds: Double, columns: Int) -> String {
        let (bar, percent) = bar(Double(batches) / Double(max(total, 1)))
        let perSecond = seconds > 0 ? Double(batches) / seconds : 0
        let tenths = perSecond < 1e15 ? Int(perSecond * 10) : 0
        let rate = tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : "\(tenths / 10)"
        let left = perSecond > 0 ? Double(max(total - batches, 0)) / perSecond : .infinity
        let count = "\(batches) of \(total) batches"
        let full = "\(count), \(rate)/s, \(duration(left)) left"
        return ["\(bar) \(percent)  \(full)", "\(percent)  \(full)", "\(percent)  \(count)", percent]
            .first { $0.count < columns } ?? ""
    }

    private static func bar(_ share: Double) -> (bar: String, percent: String) {
        let share = min(max(share, 0), 1)
        let filled = Int(share * Double(width))
        let digits = String(Int(share * 100))
        return (
            "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled) + "]",
            String(repeating: " ", count: 3 - digits.count) + digits + " %"
        )
    }

    /// Hours, minutes and seconds: `1:02:07`, `0:07`; `?` where it is not known.
    private static func duration(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "?" }
        let whole = Int(max(seconds, 0).rounded(.up))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = whole / 60
        return minutes < 60
            ? "\(minutes):\(two(whole % 60))" : "\(minutes / 60):\(two(minutes % 60)):\(two(whole % 60))"
    }
}
