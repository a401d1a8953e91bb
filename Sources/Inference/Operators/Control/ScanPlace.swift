import Kernels

/// A value of the loop: a matrix in memory.
struct ScanPlace {
    let dimensions: [Int]
    let start: UnsafePointer<Float>
    let row: Int
    var step: Int
    /// Whether the rows are those of sequences, of which later steps have fewer.
    var isPacked = false
    /// Which of the rows that are `step` apart each step reads, if not one after the other.
    var index: UnsafePointer<Int>?

    var rows: Int { dimensions.count > 1 ? dimensions[dimensions.count - 2] : 1 }
    var columns: Int { dimensions.last ?? 1 }
    /// With dense rows.
    var operand: StepProgram.Operand {
        StepProgram.Operand(
            start: start,
            row: row,
            column: 1,
            step: step,
            isPacked: isPacked && step != 0,
            index: index
        )
    }

    /// As one operand of a broadcast.
    func broadcast(columns: Int) -> StepProgram.Operand {
        StepProgram.Operand(
            start: start,
            row: rows == 1 && !isPacked ? 0 : row,
            column: self.columns == columns ? 1 : 0,
            step: step,
            isPacked: isPacked && step != 0,
            index: index
        )
    }
}
