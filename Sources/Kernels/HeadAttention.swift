internal import CKernels

/// `softmax(s * Q K) V` of one head: scores exist for a few queries at a time.
///
/// The bits of a query's row depend on that row and on all keys and values alone: not on the other queries, nor on where rows stand.
public struct HeadAttention: Sendable {
    /// What is done to a score before the softmax.
    public enum Scaling: Sendable, Hashable {
        /// The score times a factor.
        case factor(Float)
        /// The score divided by a number.
        case divisor(Float)
    }

    /// Elements of queries and values in memory: element `j` of position `i` at `start[i * row + j]`.
    public struct Rows {
        /// The first element.
        public let start: UnsafePointer<Float>
        /// Elements from one position to the next.
        public let row: Int

        /// Rows by their first element and distance.
        ///
        /// - Parameters:
        ///   - start: The first element.
        ///   - row: Elements from one position to the next.
        public init(start: UnsafePointer<Float>, row: Int) {
            self.start = start
            self.row = row
        }
    }

    /// A matrix in memory: the element of row `i` and column `j` at `start[i * row + j * column]`.
    public struct Matrix<Element> {
        /// The first element.
        public let start: UnsafePointer<Element>
        /// Elements from one row to the next; 0 if all are one.
        public let row: Int
        /// Elements from one column to the next; 0 if all are one.
        public let column: Int

        /// A matrix by its first element and distances.
        ///
        /// - Parameters:
        ///   - start: The first element.
        ///   - row: Elements from one row to the next.
        ///   - column: Elements from one column to the next.
        public init(start: UnsafePointer<Element>, row: Int, column: Int) {
            self.start = start
            self.row = row
            self.column = column
        }
    }

    /// The element `j` of the key of position `i` in row `i` and column `j`.
    public typealias Keys = Matrix<Float>
    /// What is added to the score of query `i` and key `j` in row `i` and column `j`.
    public typealias Bias = Matrix<Float>
    /// Whether the score of query `i` and key `j` gives way in row `i` and column `j`: 0 or not.
    public typealias Mask = Matrix<UInt8>

    /// What is done to the scaled scores before the softmax.
    public enum Adjustment {
        /// The bias is added.
        case add(Bias)
        /// Where the mask is true, or where it is false, the score becomes the value.
        case fill(Mask, where: Bool, Float)
        /// The scores of keys behind the query's own position become -inf.
        case hideLater
    }

    /// What becomes of probabilities that are no numbers, as are all of a query whose scores are all -inf.
    public enum Cleaning: Sendable, Hashable {
        /// They stay.
        case none
        /// Each counts as 0.
        case everyNaN
        /// Those of a query whose scores are all -inf count as 0.
        case emptyQueries
    }

    /// Queries whose scores stand in the first-level cache at once: a whole number of tiles.
    private static func block(_ keyCount: Int) -> Int {
        let tile = 12
        return max(tile, min(5 * tile, 8192 / keyCount / tile * tile))
    }

    /// Elements from one query's scores to the next's: whole cache lines, and an odd number of them, so that the rows of a tile
    /// do not all fall on the same lines of the cache.
    private static func stride(_ keyCount: Int) -> Int { ((keyCount + 15) / 16 | 1) * 16 }

    /// The length of a query and of a key.
    public let width: Int
    /// The length of a value.
    public let valueWidth: Int
    /// What is done to a score.
    public let scaling: Scaling
    /// What becomes of probabilities that are no numbers.
    public let cleaning: Cleaning

    /// Attention of heads of some widths.
    ///
    /// - Parameters:
    ///   - width: The length of a query and of a key.
    ///   - valueWidth: The length of a value.
    ///   - scaling: What is done to a score before the softmax.
    ///   - cleaning: What becomes of probabilities that are no numbers.
    public init(width: Int, valueWidth: Int, scaling: Scaling, cleaning: Cleaning = .none) {
        self.width = width
        self.valueWidth = valueWidth
        self.scaling = scaling
        self.cleaning = cleaning
    }

    /// The results of all queries.
    ///
    /// - Parameters:
    ///   - queryCount: The number of queries.
    ///   - keyCount: The number of keys and values.
    ///   - q: The queries.
    ///   - k: The keys.
    ///   - v: The values.
    ///   - adjustments: What is done to the scores once they are scaled, in order.
    ///   - y: Where the first result is written; it must not overlap the others.
    ///   - row: Elements from one result to the next.
    /// - Complexity: O(queries * keys * (width + valueWidth)); scratch of O(keys * (width + valueWidth)).
    public func apply(
        queryCount: Int,
        keyCount: Int,
        q: Rows,
        k: Keys,
        v: Rows,
        adjustments: [Adjustment] = [],
        into y: UnsafeMutablePointer<Float>,
        row: Int
    ) {
        guard queryCount > 0, keyCount > 0, valueWidth > 0 else { return }
        let panel = Int(SN_PANEL)
        let keyPanels = (keyCount + panel - 1) / panel * panel * width
        let valuePanels = (valueWidth + panel - 1) / panel * panel * keyCount
        let rows = min(queryCount, Self.block(keyCount))
        let stride = Self.stride(keyCount)
        let (factor, divisor): (Float, Float?) =
            switch scaling {
            case .factor(let factor): (factor, nil)
            case .divisor(let divisor): (1, divisor)
            }
        withScratch(keyPanels + valuePanels + rows * stride) { keys in
            let values = keys + keyPanels
            let scores = values + valuePanels
            active.pack(width, keyCount, k.start, k.column, k.row, keys)
            active.pack(keyCount, valueWidth, v.start, v.row, 1, values)
            for first in Swift.stride(from: 0, to: queryCount, by: rows) {
                let count = min(rows, queryCount - first)
                let queries = q.start + first * q.row
                active.multiply(
                    count,
                    keyCount,
                    width,
                    factor,
                    queries,
                    q.row,
                    keys,
                    0,
                    scores,
                    stride,
                    nil,
                    0
                )
                if let divisor {
                    for row in 0..<count {
                        for key in 0..<keyCount { scores[row * stride + key] /= divisor }
                    }
                }
                for adjustment in adjustments {
                    for row in 0..<count {
                        Self.apply(adjustment, to: scores + row * stride, query: first + row, keyCount)
                    }
                }
                weigh(scores, count, keyCount, stride)
                active.multiply(
                    count,
                    valueWidth,
                    keyCount,
                    1,
                    scores,
                    stride,
                    values,
                    0,
                    y + first * row,
                    row,
                    nil,
                    0
                )
            }
        }
    }

    /// Turns scores into probabilities.
    private func weigh(
        _ scores: UnsafeMutablePointer<Float>,
        _ count: Int,
        _ keyCount: Int,
        _ stride: Int
    ) {
        guard cleaning == .emptyQueries else {
            active.softmax_rows(count, keyCount, stride, scores)
            guard cleaning == .everyNaN else { return }
            for row in 0..<count {
                let scores = scores + row * stride
                for key in 0..<keyCount where scores[key].isNaN { scores[key] = 0 }
            }
            return
        }
        for row in 0..<count {
            let scores = scores + row * stride
            if (0..<keyCount).allSatisfy({ scores[$0] == -.infinity }) {
                scores.update(repeating: 0, count: keyCount)
            } else {
                active.softmax_rows(1, keyCount, stride, scores)
            }
        }
    }

    /// Adjusts the scores of one query.
    private static func apply(
        _ adjustment: Adjustment,
        to scores: UnsafeMutablePointer<Float>,
        query: Int,
        _ keyCount: Int
    ) {
        switch adjustment {
        case .add(let bias):
            let addends = bias.start + query * bias.row
            if bias.column == 1 {
                for key in 0..<keyCount { scores[key] += addends[key] }
            } else {
                for key in 0..<keyCount { scores[key] += addends[key * bias.column] }
            }
        case .hideLater:
            for key in min(query + 1, keyCount)..<keyCount { scores[key] = -.infinity }
        case .fill(let mask, let condition, let value):
            let flags = mask.start + query * mask.row
            if mask.column == 1 {
                for key in 0..<keyCount { scores[key] = (flags[key] != 0) == condition ? value : scores[key] }
            } else {
                for key in 0..<keyCount where (flags[key * mask.column] != 0) == condition {
                    scores[key] = value
                }
            }
        }
    }
}
