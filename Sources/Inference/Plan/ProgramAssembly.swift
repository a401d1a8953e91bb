import TensorCore

/// Numbers values and finds each one's last use while a ``Program`` is made.
struct ProgramAssembly {
    private let graph: PlanGraph
    private let lastUse: [Int]
    private var numbers: [Operand]

    private(set) var steps: [Program.Step] = []
    private(set) var operands: [Operand] = []
    private(set) var results: [Operand] = []
    private(set) var releases: [Int32] = []
    private(set) var constants: [Tensor] = []
    private(set) var slotCount = 0

    init(_ graph: PlanGraph) {
        self.graph = graph
        // Outputs and captures outlive the run: captures are read again by the next one with the same frame.
        let never = graph.nodes.count
        var lastUse = [Int](repeating: -1, count: graph.values.count)
        for (index, node) in graph.nodes.enumerated() {
            for case .some(let id) in node.inputs { lastUse[id] = index }
        }
        for id in graph.outputs { lastUse[id] = never }
        for id in graph.captures where lastUse[id] >= 0 { lastUse[id] = never }
        self.lastUse = lastUse
        numbers = [Operand](repeating: .absent, count: graph.values.count)
        for (id, value) in graph.values.enumerated() where lastUse[id] >= 0 {
            if let constant = value.constant {
                numbers[id] = .constant(constants.count)
                constants.append(constant)
            } else {
                numbers[id] = .slot(slotCount)
                slotCount += 1
            }
        }
    }

    func operand(_ id: PlanGraph.ValueID?) -> Operand { id.map { numbers[$0] } ?? .absent }

    mutating func add(node index: Int) {
        let node = graph.nodes[index]
        let operandStart = Int32(operands.count)
        let resultStart = Int32(results.count)
        let releaseStart = Int32(releases.count)
        var lastUses: UInt64 = 0
        for (position, id) in node.inputs.enumerated() {
            operands.append(operand(id))
            guard let id, lastUse[id] == index, numbers[id].isSlot else { continue }
            let isOnlyUse = node.inputs.count { $0 == id } == 1
            if isOnlyUse && position < 64 { lastUses |= 1 << UInt64(position) }
            let slot = Int32(numbers[id].slot)
            if !releases[Int(releaseStart)...].contains(slot) { releases.append(slot) }
        }
        let wanted = (node.outputs.lastIndex { operand($0).isSlot } ?? -1) + 1
        for id in node.outputs.prefix(wanted) { results.append(operand(id)) }
        steps.append(
            Program.Step(
                computation: node.computation,
                operands: operandStart..<Int32(operands.count),
                results: resultStart..<Int32(results.count),
                releases: releaseStart..<Int32(releases.count),
                lastUses: lastUses
            )
        )
    }
}
