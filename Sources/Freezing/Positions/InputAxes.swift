import Inference
import ONNXGraph

/// What the axes of a training graph's inputs run over.
enum InputAxes {
    /// The facts of the inputs.
    ///
    /// With a signature by what it says. Without one, an input whose first axis and one other are open has the batch on the
    /// first and the positions on the other, by their symbols the same in all inputs.
    ///
    /// - Parameters:
    ///   - graph: The model's own graph.
    ///   - signature: What its inputs mean, if that is known.
    /// - Returns: What is known of the inputs.
    static func facts(_ graph: Graph, signature: Signature?) -> KnownAxes {
        var known = KnownAxes()
        if let signature {
            switch signature.sequence.kind {
            case .tokens: known[signature.sequence.name] = AxisFacts(axes: [.batch, .time])
            case .features(.channelsFirst, let channels):
                known[signature.sequence.name] = AxisFacts(axes: [.batch, .other(channels), .time])
            case .features(.channelsLast, let channels):
                known[signature.sequence.name] = AxisFacts(axes: [.batch, .time, .other(channels)])
            }
            if let mask = signature.mask {
                known[mask.name] = AxisFacts(
                    axes: mask.rank == 3 ? [.batch, .other(1), .time] : [.batch, .time]
                )
            }
            if let lengths = signature.lengths { known[lengths.name] = AxisFacts(axes: [.batch]) }
            return known
        }
        var symbols: (batch: Dimension, time: Dimension)?
        for input in graph.requiredInputs {
            guard let dimensions = input.dimensions, let first = dimensions.first, first.isOpen else {
                continue
            }
            let open = dimensions.indices.dropFirst().filter { dimensions[$0].isOpen }
            guard open.count <= 1 else { continue }
            if symbols == nil, let time = open.first { symbols = (first, dimensions[time]) }
            guard let symbols, first == symbols.batch, open.allSatisfy({ dimensions[$0] == symbols.time })
            else {
                continue
            }
            known[input.name] = AxisFacts(
                axes: dimensions.indices.map { axis in
                    if case .fixed(let length) = dimensions[axis] { return .other(length) }
                    return axis == 0 ? .batch : .time
                }
            )
        }
        return known
    }
}

extension Dimension {
    fileprivate var isOpen: Bool {
        if case .fixed = self { false } else { true }
    }
}
