/// Rows of cells in columns, for a terminal.
enum TextTable {
    /// The rows as lines: two blanks in front, every column as wide as its widest cell, nothing at the end.
    ///
    /// - Parameters:
    ///   - rows: The cells; a row may have fewer than others.
    ///   - rightAligned: The columns, from 0, whose cells stand at the right.
    /// - Returns: A line for each row.
    static func lines(_ rows: [[String]], rightAligned: Set<Int> = []) -> [String] {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index < widths.count {
                    widths[index] = max(widths[index], cell.count)
                } else {
                    widths.append(cell.count)
                }
            }
        }
        return rows.map { row in
            var line = " "
            for (index, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                line += " " + (rightAligned.contains(index) ? padding + cell : cell + padding) + " "
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
