import Kernels
import TensorCore

/// The packed rule of RNN, GRU and LSTM: steps over the sequences that have not ended.
extension RecurrentOperator {
    private func axes(_ x: ValueFacts) throws(NoRule) -> (steps: Number, batch: Number) {
        guard x.rank == 3 else { throw NoRule("X is not of rank 3") }
        let (steps, batch) = (x.extents[0], x.extents[1])
        return attributes.isBatchFirst ? (batch, steps) : (steps, batch)
    }

    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (steps, batch) = try axes(try inputs[0])
        let (hidden, directions) = (
            Number.integer(attributes.hiddenSize), Number.integer(attributes.cells.count)
        )
        let all =
            attributes.isBatchFirst
            ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
        let last = attributes.isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
        let type = try inputs[0].elementType
        let state = try inputs.made(type, last)
        return [try inputs.made(type, all), state, state]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        guard let weights, let features = weights.layers.first?.features else {
            throw NoRule("the weights are not constant")
        }
        let x = try packing.input(0)
        guard x.elementType == .float32 else { throw NoRule("X is \(x.elementType.rawValue)") }
        let (steps, batch) = try axes(x)
        guard let time = x.time, steps == .length(time), batch == .integer(1),
            x.extents[2] == .integer(features)
        else { throw NoRule("the steps are not those of the sequence") }
        if packing.isPresent(4) {
            guard try packing.input(4).number == steps else {
                throw NoRule("a sequence's own length is not known to be that of its steps")
            }
        }
        let hidden = try states(5, packing)
        let cell = attributes.hasCells ? try states(6, packing) : nil
        let recurrence = SegmentRecurrence(
            attributes: attributes,
            weights: weights,
            writesSteps: packing.isRead(0)
        )
        let results = packing.emit(
            recurrence,
            [try packing.rows(0), packing.offsets(time), hidden, cell],
            outputs: attributes.hasCells ? 3 : 2
        )
        let lengths = [attributes.cells.count, attributes.hiddenSize]
        var outputs: [PlanGraph.ValueID] = []
        for result in results { outputs += try packing.finished(result, features: lengths) }
        return outputs
    }

    /// The first states: a row a sequence, or a constant for all.
    private func states(_ index: Int, _ packing: NodePacking) throws(NoRule) -> PlanGraph.ValueID? {
        guard packing.isPresent(index) else { return nil }
        let facts = try packing.input(index)
        let (hidden, directions) = (attributes.hiddenSize, attributes.cells.count)
        let extents = attributes.isBatchFirst ? [1, directions, hidden] : [directions, 1, hidden]
        guard facts.elementType == .float32, facts.extents == extents.map({ .integer($0) }) else {
            throw NoRule("the first states have another shape")
        }
        return try packing.sequenceValue(index)
    }
}
