import ONNXGraph

/// What the inputs and outputs of a body are to its node.
enum LoopRoles {
    /// The number of a Scan's states, from its attribute.
    private static func stateCount(_ node: Node) -> Int? {
        guard case .int(let scanned)? = node.attribute("num_scan_inputs"), let count = Int(exactly: scanned)
        else {
            return nil
        }
        let states = node.inputs.count.subtractingReportingOverflow(count)
        return states.overflow || states.partialValue < 0 ? nil : states.partialValue
    }

    /// The role of a body's input.
    static func input(_ position: Int, of node: Node, count: Int) -> String {
        switch node.operatorType {
        case "Scan": stateCount(node).map { position < $0 ? "state" : "step of" } ?? ""
        case "Loop":
            ["iteration", "condition"].indices.contains(position)
                ? ["iteration", "condition"][position] : "state"
        default: ""
        }
    }

    /// The role of a body's output.
    static func output(_ position: Int, of node: Node) -> String {
        switch node.operatorType {
        case "Scan": stateCount(node).map { position < $0 ? "next" : "row" } ?? ""
        case "Loop": position == 0 ? "go on" : position <= node.inputs.count - 2 ? "next" : "row"
        default: ""
        }
    }

    /// The value of the enclosing graph that a body's input begins with.
    static func outerInput(_ position: Int, of node: Node) -> String? {
        switch node.operatorType {
        case "Scan": node.inputs.indices.contains(position) ? node.inputs[position] : nil
        case "Loop": node.inputs.indices.contains(position) && position >= 2 ? node.inputs[position] : nil
        default: nil
        }
    }
}
