import Kernels
import TensorCore

/// Rows of constant tables, read where they stand.
extension ScanRun {
    /// Makes rows of a table that the loop alone reads an operand of its operations, without a copy.
    ///
    /// - Parameter index: A node of the prologue.
    /// - Returns: Whether it is such a node; if not, it must be computed.
    mutating func lookUp(_ index: Int) -> Bool {
        let node = schedule.graph.nodes[index]
        guard let gather = node.computation as? GatherOperator, gather.axis == 0, node.inputs.count == 2,
            let tableID = node.inputs[0], let table = tensors[tableID], schedule.roles[tableID] == .invariant,
            let rowsID = node.inputs[1], schedule.roles[rowsID] == .stepped, !hasRows[rowsID],
            let output = node.outputs.first ?? nil, schedule.lastUse[output] < schedule.graph.nodes.count,
            schedule.readers[output].allSatisfy({ loop.contains($0) }),
            let place = place(table, dimensions: Array(table.shape.dimensions.dropFirst()), step: 0),
            place.rows == 1, let rows = rows(rowsID, count: table.shape[0])
        else { return false }
        var row = place
        row.step = place.columns
        row.index = rows
        places[output] = row
        return true
    }

    /// Which rows of a table each step reads; nil unless there is one for each, all of them within the table.
    private mutating func rows(_ id: PlanGraph.ValueID, count: Int) -> UnsafePointer<Int>? {
        let key = LookupKey(index: id, count: count)
        if let known = lookups[key] { return known }
        guard let tensor = tensors[id], tensor.shape.rank == 1, tensor.count == steps,
            var rows = try? tensor.integers(input: 1)
        else { return nil }
        for position in rows.indices {
            if rows[position] < 0 { rows[position] &+= count }
            guard rows[position] >= 0, rows[position] < count else { return nil }
        }
        if isReversed { rows.reverse() }
        let start = memory.keep(rows)
        lookups[key] = start
        return start
    }
}

/// Rows of tables of one length that a value names.
struct LookupKey: Hashable {
    let index: PlanGraph.ValueID
    let count: Int
}
