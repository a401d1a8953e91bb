import TensorCore

/// The values of one run of a ``Program``; never shared between threads.
struct Frame: ~Copyable {
    let slots: UnsafeMutablePointer<Tensor?>
    /// The run's, which outlives the frame.
    let budget: UnsafeMutablePointer<RunBudget>
    private let count: Int

    init(for program: Program, _ budget: UnsafeMutablePointer<RunBudget>) {
        self.budget = budget
        count = program.slotCount
        slots = .allocate(capacity: max(count, 1))
        slots.initialize(repeating: nil, count: count)
    }

    /// Puts a value in its slot; a value that no node reads has none.
    func set(_ operand: Operand, to tensor: Tensor) {
        if operand.isSlot { slots[operand.slot] = tensor }
    }

    deinit {
        slots.deinitialize(count: count)
        slots.deallocate()
    }
}
