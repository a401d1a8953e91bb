/// Cuts a text that comes in pieces into lines, at LF or CRLF.
///
/// It holds no more than one line and the piece that ended it. A line over the limit is given up as soon as the
/// limit is passed and skipped to its end.
struct LineBuffer: Sendable {
    enum Line: Equatable {
        /// A range of ``LineBuffer/bytes``, without its end.
        case text(Range<Int>)
        case tooLong
    }

    private let maxBytes: Int
    private(set) var bytes: [UInt8] = []
    private var start = 0
    private var searched = 0
    private var isSkipping = false
    private var isFinished = false
    private var isAtBeginning = true
    /// The number of the line last returned, from 1.
    private(set) var number = 0

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    mutating func append(_ piece: UnsafeRawBufferPointer) {
        if start > 0 {
            bytes.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: piece)
    }

    mutating func finish() { isFinished = true }

    /// The next line, valid until the next ``append(_:)``; nil until more text is there.
    mutating func next() -> Line? {
        skipByteOrderMark()
        while true {
            guard let end = lineEnd() else { return rest() }
            let line = start..<end
            start = min(end + 1, bytes.count)
            searched = start
            if isSkipping {
                isSkipping = false
                continue
            }
            number += 1
            guard line.count <= maxBytes else { return .tooLong }
            return .text(withoutReturn(line))
        }
    }

    private func lineEnd() -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            bytes[searched...].firstIndex(of: 0x0A)
        }
    }

    /// What is left when there is no line feed.
    private mutating func rest() -> Line? {
        let line = start..<bytes.count
        searched = bytes.count
        if isFinished || line.count > maxBytes {
            start = bytes.count
            let wasSkipping = isSkipping
            isSkipping = !isFinished
            guard !wasSkipping, !line.isEmpty else { return nil }
            number += 1
            return line.count > maxBytes ? .tooLong : .text(withoutReturn(line))
        }
        if isSkipping { start = bytes.count }
        return nil
    }

    private func withoutReturn(_ line: Range<Int>) -> Range<Int> {
        !line.isEmpty && bytes[line.upperBound - 1] == 0x0D ? line.lowerBound..<line.upperBound - 1 : line
    }

    private mutating func skipByteOrderMark() {
        guard isAtBeginning else { return }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if bytes.starts(with: mark) {
            start = mark.count
            searched = mark.count
            isAtBeginning = false
        } else if isFinished || !mark.starts(with: bytes) {
            isAtBeginning = false
        }
    }
}
