import ONNXGraph
import TensorCore

/// A graph ready to run: nodes in order, values in numbered slots, memory released after the last use.
///
/// Immutable; any number of threads may run it, each with its own ``Frame``.
final class Program: Sendable {
    struct Step: Sendable {
        let computation: any Operator
        let operands: Range<Int32>
        let results: Range<Int32>
        let releases: Range<Int32>
        let lastUses: UInt64
    }

    let constants: [Tensor]
    let slotCount: Int
    /// Whether values may be sequences, optionals or strings.
    let hasOtherValues: Bool
    let inputs: [Operand]
    let captures: [Operand]
    let outputs: [Operand]
    /// Per output, whether neither a capture nor another output stands in its slot.
    private let isMovable: [Bool]
    private let steps: [Step]
    private let operands: [Operand]
    private let results: [Operand]
    private let releases: [Int32]
    private let places: [(path: NodePath, operatorType: String)]

    /// Numbers the values of a graph.
    ///
    /// - Parameter graph: A graph in topological order without dead nodes.
    init(_ graph: PlanGraph) {
        var assembly = ProgramAssembly(graph)
        for index in graph.nodes.indices { assembly.add(node: index) }
        // A spare element keeps the base address valid for a program without constants.
        constants = assembly.constants + [Tensor(scalar: Float(0))]
        slotCount = assembly.slotCount
        hasOtherValues = graph.hasOtherValues
        inputs = graph.inputs.map { assembly.operand($0) }
        let outputs = graph.outputs.map { assembly.operand($0) }
        let captures = graph.captures.map { assembly.operand($0) }
        isMovable = outputs.map { operand in
            operand.isSlot && !captures.contains(operand) && outputs.count { $0 == operand } == 1
        }
        self.outputs = outputs
        self.captures = captures
        steps = assembly.steps
        operands = assembly.operands + [.absent]
        results = assembly.results
        releases = assembly.releases
        places = graph.nodes.map { ($0.path, $0.operatorType) }
    }

    /// The number of nodes.
    var stepCount: Int { steps.count }
    /// What the nodes compute, in order.
    var computations: [any Operator] { steps.map(\.computation) }
    /// The operators' names, in order.
    var operatorTypes: [String] { places.map(\.operatorType) }

    /// Computes all nodes; the inputs and captures must stand in their slots.
    ///
    /// - Parameter frame: This program's frame; afterwards it holds the outputs, and the captures.
    /// - Throws: ``ExecutionError/node(path:operatorType:reason:)``.
    func run(_ frame: borrowing Frame) throws(ExecutionError) {
        let slots = frame.slots
        let budget = frame.budget
        let others = frame.others
        try constants.withUnsafeBufferPointer { (constants) throws(ExecutionError) in
            try operands.withUnsafeBufferPointer { (operands) throws(ExecutionError) in
                guard let constants = constants.baseAddress, let operands = operands.baseAddress else {
                    return
                }
                for index in steps.indices {
                    try run(step: index, slots, others, constants, operands, budget)
                }
            }
        }
    }

    @inline(__always)
    private func run(
        step index: Int,
        _ slots: UnsafeMutablePointer<Tensor?>,
        _ others: UnsafeMutablePointer<Value?>?,
        _ constants: UnsafePointer<Tensor>,
        _ operands: UnsafePointer<Operand>,
        _ budget: UnsafeMutablePointer<RunBudget>
    ) throws(ExecutionError) {
        let range = steps[index].operands
        let targets = steps[index].results
        let inputs = NodeInputs(
            slots: slots,
            others: others,
            constants: constants,
            operands: operands + Int(range.lowerBound),
            count: range.count,
            lastUses: steps[index].lastUses,
            outputCount: targets.count,
            budget: budget
        )
        do throws(OperatorError) {
            switch try steps[index].computation.evaluate(inputs) {
            case .one(let tensor):
                guard targets.count <= 1 else {
                    throw .outputCount(1, allowed: targets.count...targets.count)
                }
                if !targets.isEmpty, results[Int(targets.lowerBound)].isSlot {
                    slots[results[Int(targets.lowerBound)].slot] = tensor
                }
            case .many(let tensors):
                guard tensors.count >= targets.count else {
                    throw .outputCount(tensors.count, allowed: targets.count...targets.count)
                }
                for position in 0..<targets.count {
                    let target = results[Int(targets.lowerBound) + position]
                    if target.isSlot { slots[target.slot] = tensors[position] }
                }
            case .values(let values):
                guard values.count >= targets.count else {
                    throw .outputCount(values.count, allowed: targets.count...targets.count)
                }
                for position in 0..<targets.count {
                    let target = results[Int(targets.lowerBound) + position]
                    if target.isSlot { Self.put(values[position], in: target.slot, slots, others) }
                }
            }
        } catch .subgraphExecution(let error) {
            throw error
        } catch {
            throw .node(path: places[index].path, operatorType: places[index].operatorType, reason: error)
        }
        for position in steps[index].releases { slots[Int(releases[Int(position)])] = nil }
        if let others {
            for position in steps[index].releases { others[Int(releases[Int(position)])] = nil }
        }
    }

    /// Puts a value of any kind in a slot, which holds nothing else then.
    static func put(
        _ value: Value,
        in slot: Int,
        _ slots: UnsafeMutablePointer<Tensor?>,
        _ others: UnsafeMutablePointer<Value?>?
    ) {
        if case .tensor(let tensor) = value {
            slots[slot] = tensor
            others?[slot] = nil
        } else {
            slots[slot] = nil
            others?[slot] = value
        }
    }

    /// The value of an output of any kind after a run.
    func outputValue(_ index: Int, from frame: borrowing Frame) -> Value? {
        if let tensor = output(index, from: frame) { return .tensor(tensor) }
        guard let others = frame.others, outputs[index].isSlot else { return nil }
        return others[outputs[index].slot]
    }

    /// The value of an output after a run.
    func output(_ index: Int, from frame: borrowing Frame) -> Tensor? {
        let operand = outputs[index]
        return operand.isSlot
            ? frame.slots[operand.slot] : operand.isAbsent ? nil : constants[operand.constant]
    }

    /// The value of an output after a run, moved out of its slot unless another reads the slot later.
    func takeOutput(_ index: Int, from frame: borrowing Frame) -> Tensor? {
        isMovable[index] ? frame.slots[outputs[index].slot].take() : output(index, from: frame)
    }

    /// The value of an output of any kind after a run, moved out of its slot unless another reads the slot later.
    func takeOutputValue(_ index: Int, from frame: borrowing Frame) -> Value? {
        if let tensor = takeOutput(index, from: frame) { return .tensor(tensor) }
        guard let others = frame.others, isMovable[index] else { return outputValue(index, from: frame) }
        return others[outputs[index].slot].take()
    }
}
