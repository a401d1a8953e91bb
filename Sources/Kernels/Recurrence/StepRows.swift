/// Where the positions of many sequences stand in a buffer: position `p` of sequence `s` at element
/// `starts[s] + p * step`.
///
/// Packed rows of `width` elements are `starts = offsets * width, step = width`; ONNX's `[T, B, width]` is
/// `starts[s] = s * width, step = B * width`.
public struct StepRows: Sendable {
    /// For each sequence, the element at which its first position begins.
    public var starts: [Int]
    /// Elements from one position of a sequence to its next.
    public var step: Int

    /// Places by their starts and step.
    ///
    /// - Parameters:
    ///   - starts: For each sequence, the element at which its first position begins.
    ///   - step: Elements from one position of a sequence to its next.
    public init(starts: [Int], step: Int) {
        self.starts = starts
        self.step = step
    }

    /// Rows that lie packed, sequence after sequence.
    ///
    /// - Parameters:
    ///   - lengths: The positions of each sequence.
    ///   - width: Elements from one row to the next.
    ///   - column: The first element of each row that counts.
    public init(packed lengths: [Int], width: Int, column: Int = 0) {
        var next = column
        starts = lengths.map { length in
            defer { next += length * width }
            return next
        }
        step = width
    }
}
