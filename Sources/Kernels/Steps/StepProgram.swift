internal import CKernels
internal import TensorCore

/// The body of a loop as operations on matrices in memory, run for many steps in one call.
///
/// Operations run in the order they were added, all of one step before the next; nothing is allocated on the way. Each
/// element's bits are those of the kernel for whole buffers. All memory must live, and stay in place, until ``run(steps:)``
/// returns.
public struct StepProgram {
    /// A matrix an operation reads: element (i, j) of step t is `start[t * step + i * row + j * column]`, or that of
    /// `index[t]` instead of t.
    public struct Operand {
        /// The first element of the first step.
        public var start: UnsafePointer<Float>
        /// Elements from one row to the next; 0 where one row stands for all.
        public var row: Int
        /// 1, or 0 where one element stands for a row.
        public var column: Int
        /// Elements from one step to the next; 0 for a value that every step finds in the same place.
        public var step: Int
        /// Whether `step` counts for each row of the steps before, instead of for each step.
        public var isPacked: Bool
        /// For each step, the number that `step` counts for; nil for that of the step itself.
        public var index: UnsafePointer<Int>?

        /// An operand by its strides.
        ///
        /// - Parameters:
        ///   - start: The first element of the first step.
        ///   - row: Elements from one row to the next.
        ///   - column: 1, or 0 where one element stands for a row.
        ///   - step: Elements from one step to the next.
        ///   - isPacked: Whether `step` counts for each row of the steps before.
        ///   - index: For each step, the number that `step` counts for instead.
        public init(
            start: UnsafePointer<Float>,
            row: Int,
            column: Int,
            step: Int = 0,
            isPacked: Bool = false,
            index: UnsafePointer<Int>? = nil
        ) {
            self.start = start
            self.row = row
            self.column = column
            self.step = step
            self.isPacked = isPacked
            self.index = index
        }

        var native: sn_step_operand {
            sn_step_operand(data: start, row: row, column: column, step: step, by_row: isPacked, index: index)
        }
    }

    /// A matrix an operation writes; its rows are dense.
    public struct Result {
        /// The first element of the first step.
        public var start: UnsafeMutablePointer<Float>
        /// The rows.
        public var rows: Int
        /// The columns.
        public var columns: Int
        /// Elements from one row to the next.
        public var row: Int
        /// Elements from one step to the next.
        public var step: Int
        /// Whether `step` counts for each row of the steps before, instead of for each step.
        public var isPacked: Bool

        /// A result by its size and strides.
        ///
        /// - Parameters:
        ///   - start: The first element of the first step.
        ///   - rows: The rows; of a program whose steps have fewer and fewer rows, those of the first step.
        ///   - columns: The columns.
        ///   - row: Elements from one row to the next.
        ///   - step: Elements from one step to the next.
        ///   - isPacked: Whether `step` counts for each row of the steps before.
        public init(
            start: UnsafeMutablePointer<Float>,
            rows: Int,
            columns: Int,
            row: Int,
            step: Int = 0,
            isPacked: Bool = false
        ) {
            self.start = start
            self.rows = rows
            self.columns = columns
            self.row = row
            self.step = step
            self.isPacked = isPacked
        }
    }

    private var operations: [sn_step] = []
    /// Keeps the panels of products.
    private var matrices: [PackedMatrix] = []

    /// A program without operations.
    public init() { operations.reserveCapacity(32) }

    /// Adds `c = a`.
    ///
    /// - Parameters:
    ///   - a: With dense rows.
    ///   - c: The result.
    public mutating func copy(_ a: Operand, to c: Result) { add(SN_STEP_COPY, a, c) { _ in } }

    /// Adds `c = f(a)`.
    ///
    /// - Parameters:
    ///   - operation: The function.
    ///   - a: With dense rows.
    ///   - c: The result.
    public mutating func apply(_ operation: UnaryOperation, _ a: Operand, to c: Result) {
        add(SN_STEP_UNARY, a, c) { $0.operation = operation.rawValue }
    }

    /// Adds `c = f(a, b)`; any function but ``BinaryOperation/power``.
    ///
    /// - Parameters:
    ///   - operation: The function.
    ///   - a: The left operand.
    ///   - b: The right operand.
    ///   - c: The result.
    public mutating func apply(_ operation: BinaryOperation, _ a: Operand, _ b: Operand, to c: Result) {
        add(SN_STEP_BINARY, a, c) {
            $0.operation = operation.rawValue
            $0.b = b.native
        }
    }

    /// Adds `c = a * scale + shift`, rounded once where the machine can.
    ///
    /// - Parameters:
    ///   - a: With dense rows.
    ///   - scale: The factors.
    ///   - shift: The addends.
    ///   - c: The result.
    public mutating func affine(_ a: Operand, scale: Operand, shift: Operand, to c: Result) {
        add(SN_STEP_AFFINE, a, c) {
            $0.b = scale.native
            $0.d = shift.native
        }
    }

    /// Adds `c = f(alpha * a * matrix + bias)`.
    ///
    /// - Parameters:
    ///   - a: With dense rows of as many columns as the matrix has rows.
    ///   - matrix: The right side.
    ///   - alpha: A factor.
    ///   - bias: One addend a column, or nil.
    ///   - activation: The function.
    ///   - c: The result, of as many columns as the matrix.
    public mutating func multiply(
        _ a: Operand,
        _ matrix: PackedMatrix,
        alpha: Float = 1,
        bias: UnsafePointer<Float>? = nil,
        activation: UnaryOperation = .identity,
        to c: Result
    ) {
        matrices.append(matrix)
        // The panels stand in the matrix's own memory, which `matrices` keeps.
        let panels: UnsafePointer<Float>?
        let narrow: UnsafePointer<UInt16>?
        switch matrix.panels {
        case .float32(let tensor):
            (panels, narrow) = (tensor.withElements(of: Float.self) { $0.baseAddress }, nil)
        case .bfloat16(let tensor):
            (panels, narrow) = (nil, tensor.withElements(of: UInt16.self) { $0.baseAddress })
        }
        add(SN_STEP_MULTIPLY, a, c) {
            $0.inner = matrix.rows
            $0.panels = panels
            $0.narrow_panels = narrow
            $0.narrow_multiply = active.narrow.multiply
            $0.alpha = alpha
            $0.has_epilogue = bias != nil || activation != .identity
            $0.epilogue = Epilogue(bias: bias, activation: activation).native
        }
    }

    /// Adds `c = alpha * a * matrix * scale + shift`, the last two element by element, as ``affine(_:scale:shift:to:)`` would.
    ///
    /// - Parameters:
    ///   - a: With dense rows of as many columns as the matrix has rows.
    ///   - matrix: The right side, of float32.
    ///   - alpha: A factor.
    ///   - scale: One row for all, of as many columns as the matrix.
    ///   - shift: Rows of as many columns, or one for all.
    ///   - c: The result, of as many columns as the matrix.
    public mutating func multiply(
        _ a: Operand,
        _ matrix: PackedMatrix,
        alpha: Float = 1,
        scale: Operand,
        shift: Operand,
        to c: Result
    ) {
        guard case .float32(let panels) = matrix.panels else {
            multiply(a, matrix, alpha: alpha, to: c)
            let product = Operand(start: c.start, row: c.row, column: 1, step: c.step, isPacked: c.isPacked)
            return affine(product, scale: scale, shift: shift, to: c)
        }
        matrices.append(matrix)
        add(SN_STEP_MULTIPLY_AFFINE, a, c) {
            $0.inner = matrix.rows
            // The panels stand in the matrix's own memory, which `matrices` keeps.
            $0.panels = panels.withElements(of: Float.self) { $0.baseAddress }
            $0.alpha = alpha
            $0.b = scale.native
            $0.d = shift.native
        }
    }

    /// Runs all operations for every step.
    ///
    /// - Parameter steps: The number of steps.
    public func run(steps: Int) { run(steps: steps, alive: nil) }

    /// Runs all operations for every step over the rows that each has.
    ///
    /// Rows stand in an order in which those that end first are last.
    ///
    /// - Parameter alive: For each step, the rows of every result, none more than the step before.
    public func run(alive: [Int]) {
        alive.withUnsafeBufferPointer { run(steps: $0.count, alive: $0.baseAddress) }
    }

    private func run(steps: Int, alive: UnsafePointer<Int>?) {
        withExtendedLifetime(matrices) {
            operations.withUnsafeBufferPointer { active.run_steps($0.baseAddress, $0.count, steps, alive) }
        }
    }

    private mutating func add(
        _ kind: sn_step_kind,
        _ a: Operand,
        _ c: Result,
        _ fill: (inout sn_step) -> Void
    ) {
        guard c.rows > 0, c.columns > 0 else { return }
        var operation = sn_step()
        operation.kind = Int32(kind.rawValue)
        (operation.rows, operation.columns, operation.alive) = (c.rows, c.columns, true)
        operation.a = a.native
        (operation.b, operation.d) = (operation.a, operation.a)
        (operation.c, operation.c_row, operation.c_step) = (c.start, c.row, c.step)
        operation.c_by_row = c.isPacked
        fill(&operation)
        operation.dense = Self.isDense(operation)
        operations.append(operation)
    }

    /// Whether the rows of all operands follow each other.
    private static func isDense(_ s: sn_step) -> Bool {
        [s.a, s.b, s.d].allSatisfy { $0.row == s.columns && $0.column == 1 } && s.c_row == s.columns
    }
}
