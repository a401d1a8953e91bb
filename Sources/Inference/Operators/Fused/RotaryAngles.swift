import Glibc
import TensorCore

/// RotaryAngles, an operator of this engine: the cosines and sines that turn pairs of elements, `[B, L, half]` each.
///
/// The first input is `[B, L, heads * width]`; keys of a past, `[..., keys, width]`, come before. Pair `i` of a position is turned by
/// `position / 10000^(i / half)`, with half of `rotary_embedding_dim`, or of the width of a head if that is 0. Computed in Double.
struct RotaryAngles: Operator {
    private let heads: Int
    private let rotated: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...2)
        heads = try reader.int("num_heads", default: 1)
        rotated = try reader.int("rotary_embedding_dim", default: 0)
        guard heads > 0 else { throw .attributeValue("num_heads") }
        guard rotated >= 0, rotated % 2 == 0 else { throw .attributeValue("rotary_embedding_dim") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let half = try half(of: x.shape[2])
        var first = 0
        if let past = inputs.optional(1)?.shape {
            guard past.rank >= 2 else { throw .unsupportedRank(past.rank, input: 1) }
            first = past[past.rank - 2]
        }
        let length = x.shape[1]
        let positions = (0..<x.shape[0] * length).lazy.map { first + $0 % max(length, 1) }
        let shape = try Shape.checked([x.shape[0], length, half])
        return .many(try Self.angles(positions, half: half, shape, x.elementType, inputs))
    }

    private func half(of hidden: Int) throws(OperatorError) -> Int {
        let width = hidden / heads
        guard hidden % heads == 0, width % 2 == 0, rotated <= width else {
            throw .attributeValue("rotary_embedding_dim")
        }
        return (rotated == 0 ? width : rotated) / 2
    }

    /// Cosines and sines for positions in order.
    fileprivate static func angles(
        _ positions: some Sequence<Int>,
        half: Int,
        _ shape: Shape,
        _ type: ElementType,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [Tensor] {
        let frequencies = (0..<half).map { pow(10_000, -Double($0) / Double(half)) }
        var results: [Tensor] = []
        for function in [Glibc.cos, Glibc.sin] as [(Double) -> Double] {
            let values = try inputs.makeTensor(of: Double.self, shape) { y in
                for (row, position) in positions.enumerated() {
                    for index in 0..<half {
                        y[row * half + index] = function(Double(position) * frequencies[index])
                    }
                }
            }
            results.append(try Cast.convert(values, to: type, inputs, input: 0))
        }
        return results
    }
}

extension RotaryAngles: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        guard x.rank == 3, let hidden = x.constant(2), let half = try? half(of: hidden),
            inputs.optional(1) == nil
        else { throw NoRule("the width of a head is unknown, or there is a past") }
        let angles = try inputs.made(x.elementType, [x.extents[0], x.extents[1], .integer(half)])
        return [angles, angles]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let facts = packing.outputs[0]
        guard let time = facts.time, facts.timeAxis == 1, facts.extents[0] == .integer(1),
            let half = facts.constant(2)
        else { throw NoRule("the positions are not those of the sequence") }
        let results = packing.emit(
            PositionAngles(half: half, elementType: facts.elementType),
            [packing.emit(Positions(), [packing.offsets(time)])],
            outputs: 2
        )
        var rows: [PlanGraph.ValueID] = []
        for result in results { rows += try packing.finished(result, features: [half]) }
        return rows
    }
}

/// The cosines and sines of positions, `[R]` to `[R, half]` each.
private struct PositionAngles: Operator {
    let half: Int
    let elementType: ElementType

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let positions = try inputs[0].integers(input: 0)
        let shape = try Shape.checked([positions.count, half])
        return .many(try RotaryAngles.angles(positions, half: half, shape, elementType, inputs))
    }
}
