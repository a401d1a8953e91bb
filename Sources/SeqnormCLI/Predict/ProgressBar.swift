import Foundation

/// Writes a line to standard error.
func warn(_ message: String) {
    FileHandle.standardError.write(Data((message + "\n").utf8))
}

/// A line on standard error that shows how far a run is, if standard error is a terminal.
///
/// `[==========          ]  50 %  1234 sequences, 617/s`
struct ProgressBar {
    private static let width = 24
    private let isShown: Bool
    private let total: Int?
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant?
    private var isDrawn = false

    /// A bar for a total of bytes; nil if it is not known.
    init(totalBytes: Int?, isShown: Bool = isatty(2) == 1) {
        total = totalBytes
        self.isShown = isShown
    }

    /// Draws the bar, at most ten times a second.
    mutating func update(bytes: Int, sequences: Int) {
        let now = ContinuousClock.now
        guard isShown, shown.map({ now - $0 >= .milliseconds(100) }) ?? true else { return }
        shown = now
        isDrawn = true
        let elapsed = (now - start) / .seconds(1)
        FileHandle.standardError.write(
            Data(
                "\r\(Self.text(bytes: bytes, of: total, sequences: sequences, seconds: elapsed))\u{1B}[K".utf8
            )
        )
    }

    /// Takes the bar away.
    mutating func clear() {
        guard isDrawn else { return }
        isDrawn = false
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }

    /// What the bar shows.
    static func text(bytes: Int, of total: Int?, sequences: Int, seconds: Double) -> String {
        let perSecond = seconds > 0 ? Double(sequences) / seconds : 0
        let rate = "\(sequences) sequences, \(perSecond < 1e15 ? Int(perSecond) : 0)/s"
        guard let total, total > 0 else { return rate }
        let share = min(Double(max(bytes, 0)) / Double(total), 1)
        let filled = Int(share * Double(width))
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
        let percent = String(Int(share * 100))
        return "[\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(rate)"
    }
}
