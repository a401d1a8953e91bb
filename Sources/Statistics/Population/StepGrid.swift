/// The steps of nested loops as a grid, outermost loop first; outside of loops it has one cell.
struct StepGrid: Sendable, Hashable {
    let lengths: [Int]
    let count: Int

    /// Nil if there are more cells than `limit`.
    init?(_ lengths: [Int], limit: Int) {
        var count = 1
        for length in lengths {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow, product <= limit else { return nil }
            count = product
        }
        self.lengths = lengths
        self.count = count
    }

    /// The steps of a cell.
    func steps(of index: Int) -> [Int] {
        var remaining = index
        var steps = lengths
        for axis in lengths.indices.reversed() {
            (remaining, steps[axis]) = remaining.quotientAndRemainder(dividingBy: lengths[axis])
        }
        return steps
    }

    /// The cell of some steps.
    func index(of steps: some Sequence<Int>) -> Int {
        zip(steps, lengths).reduce(0) { $0 * $1.1 + $1.0 }
    }

    /// How many cells lie between neighbours on an axis.
    func stride(_ axis: Int) -> Int { lengths[(axis + 1)...].reduce(1, *) }

    /// For every cell the nearest given one: itself, else along the innermost axis the last one before it, else the first
    /// one after it, else the same along the next axis outward; nil if none is given.
    func holding(_ isGiven: (Int) -> Bool) -> [Int]? {
        var sources: [Int?] = (0..<count).map { isGiven($0) ? $0 : nil }
        for axis in lengths.indices.reversed() {
            let stride = stride(axis)
            for index in 0..<count where index / stride % lengths[axis] > 0 && sources[index] == nil {
                sources[index] = sources[index - stride]
            }
            for index in (0..<count).reversed()
            where index / stride % lengths[axis] < lengths[axis] - 1 && sources[index] == nil {
                sources[index] = sources[index + stride]
            }
        }
        let found = sources.compactMap(\.self)
        return found.count == count && count > 0 ? found : nil
    }
}
