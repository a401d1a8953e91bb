import ONNXGraph
import TensorCore

/// RotaryEmbedding of onnxruntime: that of ONNX, with positions `[B, L]` or the first one, `[1]`.
enum FusedRotaryEmbedding {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(4...4)
        try node.refuseOutputs(from: 1)
        if try node.reader.int("is_packed_batching", default: 0) != 0 {
            throw .attributeValue("is_packed_batching")
        }
        if try node.reader.float("scale", default: 1) != 1 { throw .attributeValue("scale") }
        var attributes: [Attribute] = []
        for name in ["interleaved", "num_heads", "rotary_embedding_dim"] {
            let value = try node.reader.int(name, default: 0)
            if value != 0 { attributes.append(Attribute(name, .int(Int64(value)))) }
        }
        let x = try node.required(0)
        let given = [try node.required(1), x]
        let positions = node.put("RotaryPositions", given, domain: OperatorRegistry.ownDomain)
        let inputs = [x, try node.required(2), try node.required(3), positions]
        node.put("RotaryEmbedding", inputs, attributes, to: node.output(0))
    }
}

/// RotaryPositions, an operator of this engine: positions `[B, L]` as they are, or counted from a first one, `[1]`.
///
/// The second input is `[B, L, heads * width]` or `[B, heads, L, width]`.
struct RotaryPositions: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let positions = try inputs[0]
        let x = try inputs[1].shape
        guard x.rank == 3 || x.rank == 4 else { throw .unsupportedRank(x.rank, input: 1) }
        guard positions.shape.rank == 1 else { return .one(positions) }
        let given = try positions.integers(input: 0)
        guard given.count == 1, (0..<Int(Int32.max)).contains(given[0]) else { throw .inputValue(input: 0) }
        let length = x[x.rank - 2]
        return .one(
            try inputs.makeTensor(of: Int64.self, .checked([x[0], length])) { y in
                for index in 0..<x[0] * length { y[index] = Int64(given[0] + index % length) }
            }
        )
    }
}

extension RotaryPositions: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (positions, x) = (try inputs[0], try inputs[1])
        guard positions.rank == 1 else { return [positions] }
        guard positions.integers == [0], x.rank == 3 || x.rank == 4, x.extents[0] == .integer(1) else {
            throw NoRule("the first position is not 0")
        }
        return [try inputs.made(.int64, [.integer(1), x.extents[x.rank - 2]], .positions)]
    }

    func equalInput(_ inputs: NodeFacts) -> Int? { inputs.optional(0)?.rank == 2 ? 0 : nil }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] { [try packing.rows(0)] }
}
