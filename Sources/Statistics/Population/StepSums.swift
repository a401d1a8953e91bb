/// Sums over batches at every step of a grid, and how many batches they are of.
struct StepSums {
    let grid: StepGrid
    /// Sums a step.
    let width: Int
    /// Wrap around, which only a forged file can bring about.
    var batches: [Int]
    var sums: ExactSums

    /// The cells of a table that belong to a set of axes.
    ///
    /// - Parameters:
    ///   - table: Cells `[axes, step...]`.
    ///   - grid: Steps beyond it must not occur.
    ///   - axes: The set's bits.
    ///   - range: Which of a cell's sums to take.
    init(_ table: CellTable, _ grid: StepGrid, axes: Int, taking range: Range<Int>) {
        self.grid = grid
        width = range.count
        batches = Array(repeating: 0, count: grid.count)
        sums = ExactSums(count: grid.count * range.count)
        for (place, cell) in table.cells.enumerated() where cell.first == axes {
            let index = grid.index(of: cell.dropFirst())
            let first = place * table.width
            batches[index] = table.batches[place]
            sums.add(
                table.sums,
                from: (first + range.lowerBound)..<(first + range.upperBound),
                at: index * width
            )
        }
    }

    /// Puts at every step the sum over the steps before it on an axis.
    mutating func sumBefore(on axis: Int) {
        let stride = grid.stride(axis)
        let length = grid.lengths[axis]
        for index in 0..<grid.count where index / stride % length > 0 {
            batches[index] &+= batches[index - stride]
            sums.accumulate(block(index - stride), at: index * width)
        }
        for index in (0..<grid.count).reversed() {
            if index / stride % length > 0 {
                batches[index] = batches[index - stride]
                sums.copy(block(index - stride), to: index * width)
            } else {
                batches[index] = 0
                sums.clear(block(index))
            }
        }
    }

    mutating func merge(_ other: StepSums) {
        for index in batches.indices { batches[index] &+= other.batches[index] }
        sums.merge(other.sums)
    }

    private func block(_ index: Int) -> Range<Int> { (index * width)..<((index + 1) * width) }
}
