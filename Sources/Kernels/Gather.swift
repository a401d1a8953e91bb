/// Copies of rows chosen by index.
public enum Gather {
    /// Copies `table[indices[i]]` to row `i`, for each outer block.
    ///
    /// - Parameters:
    ///   - table: `[outer, rows]` of rows of `rowBytes`.
    ///   - outer: The product of the lengths before the gathered axis; 1 for an embedding.
    ///   - rows: The length of the gathered axis.
    ///   - rowBytes: The bytes of everything behind the gathered axis.
    ///   - indices: Each in `-rows ..< rows`; negative ones count from the end.
    ///   - output: `[outer, indices.count]` rows of `rowBytes`; must not overlap `table`.
    /// - Returns: nil, or the position of the first index outside the range, and then nothing is written.
    /// - Complexity: O(outer * indices.count * rowBytes), no allocation.
    public static func rows(
        of table: UnsafeRawPointer,
        outer: Int = 1,
        rows: Int,
        rowBytes: Int,
        indices: UnsafeBufferPointer<Int64>,
        into output: UnsafeMutableRawPointer
    ) -> Int? {
        for (position, index) in indices.enumerated() where index < -Int64(rows) || index >= Int64(rows) {
            return position
        }
        var target = output
        for block in 0..<outer {
            let start = table + block * rows * rowBytes
            for index in indices {
                let row = Int(index < 0 ? index + Int64(rows) : index)
                target.copyMemory(from: start + row * rowBytes, byteCount: rowBytes)
                target += rowBytes
            }
        }
        return nil
    }
}
