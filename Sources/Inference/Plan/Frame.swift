import TensorCore

/// The values of one run of a ``Program``; never shared between threads.
struct Frame: ~Copyable {
    let slots: UnsafeMutablePointer<Tensor?>
    /// The run's, which outlives the frame.
    let budget: UnsafeMutablePointer<RunBudget>
    /// What a slot holds that is no tensor; nil for programs that only have tensors.
    let others: UnsafeMutablePointer<Value?>?
    private let count: Int

    init(for program: Program, _ budget: UnsafeMutablePointer<RunBudget>) {
        self.budget = budget
        count = program.slotCount
        slots = .allocate(capacity: max(count, 1))
        slots.initialize(repeating: nil, count: count)
        others = program.hasOtherValues ? .allocate(capacity: max(count, 1)) : nil
        others?.initialize(repeating: nil, count: count)
    }

    /// Puts a value in its slot; a value that no node reads has none.
    func set(_ operand: Operand, to tensor: Tensor) {
        if operand.isSlot { slots[operand.slot] = tensor }
    }

    /// Puts a value of any kind in its slot; a value that no node reads has none.
    func set(_ operand: Operand, to value: Value) {
        guard operand.isSlot else { return }
        Program.put(value, in: operand.slot, slots, others)
    }

    deinit {
        others?.deinitialize(count: count)
        others?.deallocate()
        slots.deinitialize(count: count)
        slots.deallocate()
    }
}
