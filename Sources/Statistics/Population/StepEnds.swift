/// Where the loops of a batch end: in a loop in a loop, at each step of the loops around it.
struct StepEnds {
    private let grid: StepGrid
    private let steps: [[Int]]

    /// Nil if the steps of a loop are not one number for each step of the loops around it, up to its extent.
    init?(_ grid: StepGrid, steps: [[Int]]) {
        self.grid = grid
        self.steps = steps
        guard !steps.isEmpty else { return }
        guard steps.count == grid.lengths.count - 1 else { return nil }
        for (index, counts) in steps.enumerated() {
            guard counts.count == grid.lengths[...index].reduce(1, *),
                counts.allSatisfy({ (0...grid.lengths[index + 1]).contains($0) })
            else { return nil }
        }
    }

    /// The axes on which a cell is the last step; nil if a loop had ended before it.
    func lastAxes(of cell: [Int]) -> [Int]? {
        var axes: [Int] = []
        var place = 0
        for axis in cell.indices {
            let length = axis == 0 || steps.isEmpty ? grid.lengths[axis] : steps[axis - 1][place]
            guard cell[axis] < length else { return nil }
            if cell[axis] == length - 1 { axes.append(axis) }
            place = place * grid.lengths[axis] + cell[axis]
        }
        return axes
    }
}
