import ONNXGraph
import TensorCore

/// What is true of a model's inputs for each sequence alone, from its signature.
struct PackedInputs {
    /// By value of the plan graph.
    let facts: [PlanGraph.ValueID: ValueFacts]
    /// The sequence, if the graph reads it.
    let sequence: PlanGraph.ValueID?

    /// The inputs of a graph.
    ///
    /// - Parameters:
    ///   - graph: The plan graph; its inputs stand in the order of `declared`.
    ///   - declared: The model's inputs.
    ///   - signature: What they mean.
    /// - Throws: The input that is not as long as its sequence is.
    init(_ graph: PlanGraph, declared: [ValueInfo], signature: Signature) throws(NoRule) {
        var facts: [PlanGraph.ValueID: ValueFacts] = [:]
        var sequence: PlanGraph.ValueID?
        for (id, input) in zip(graph.inputs, declared) {
            guard let known = Self.facts(of: input.name, signature) else {
                throw NoRule("input \(input.name) has no meaning")
            }
            try Self.check(known, against: input)
            facts[id] = known
            if input.name == signature.sequence.name { sequence = id }
        }
        self.facts = facts
        self.sequence = sequence
    }

    private static func facts(of name: String, _ signature: Signature) -> ValueFacts? {
        let (one, time) = (Number.integer(1), Number.length(.length))
        if name == signature.sequence.name {
            switch signature.sequence.kind {
            case .tokens: return ValueFacts(.int64, [one, time])
            case .features(.channelsFirst, let channels):
                return ValueFacts(.float32, [one, .integer(channels), time])
            case .features(.channelsLast, let channels):
                return ValueFacts(.float32, [one, time, .integer(channels)])
            }
        }
        if let mask = signature.mask, mask.name == name {
            let real: Tensor? =
                mask.elementType == .bool ? Tensor(scalar: true) : Tensor.scalar(1, mask.elementType)
            guard let real, let scalar = Scalar(real) else { return nil }
            let extents = mask.rank == 2 ? [one, time] : [one, one, time]
            return ValueFacts(mask.elementType, extents, content: .uniform(scalar))
        }
        guard let lengths = signature.lengths, lengths.name == name else { return nil }
        return ValueFacts(lengths.elementType, [one], content: .numbers([time]))
    }

    private static func check(_ facts: ValueFacts, against input: ValueInfo) throws(NoRule) {
        let name = input.name
        if let type = input.elementType, type != facts.elementType {
            throw NoRule("input \(name) is \(type.rawValue)")
        }
        guard let dimensions = input.dimensions else { return }
        guard dimensions.count == facts.rank else { throw NoRule("input \(name) has another rank") }
        for (axis, dimension) in dimensions.enumerated() {
            guard case .fixed(let length) = dimension else { continue }
            guard facts.extents[axis] == .integer(length) else {
                throw NoRule("input \(name) is \(length) long in axis \(axis)")
            }
        }
    }
}
