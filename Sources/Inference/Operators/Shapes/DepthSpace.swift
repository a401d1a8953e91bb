import TensorCore

/// DepthToSpace and SpaceToDepth: blocks of positions to channels and back, `[B, C, H, W]`.
struct DepthSpace: Operator, TakingAllTypes {
    private let block: Int
    private let spreads: Bool
    private let channelsFirst: Bool

    init(toSpace: Bool, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        guard let block = try reader.int("blocksize") else { throw .missingAttribute("blocksize") }
        guard (1...(1 << 15)).contains(block) else { throw .attributeValue("blocksize") }
        self.block = block
        spreads = toSpace
        switch toSpace && reader.opset >= 11 ? try reader.string("mode") ?? "DCR" : "DCR" {
        case "DCR": channelsFirst = false
        case "CRD": channelsFirst = true
        default: throw .attributeValue("mode")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank == 4 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let area = block * block
        if spreads {
            guard channels % area == 0 else { throw .attributeValue("blocksize") }
            let depth = channels / area
            let split =
                channelsFirst
                ? [batch, depth, block, block, height, width] : [batch, block, block, depth, height, width]
            let order = channelsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
            let parts = try x.viewed(as: Shape.checked(split))
            return .one(
                try TransposeOperator.permute(parts, order, inputs)
                    .viewed(as: Shape.checked([batch, depth, height * block, width * block]))
            )
        }
        guard height % block == 0, width % block == 0 else { throw .attributeValue("blocksize") }
        let split = [batch, channels, height / block, block, width / block, block]
        let parts = try x.viewed(as: Shape.checked(split))
        return .one(
            try TransposeOperator.permute(parts, [0, 3, 5, 1, 2, 4], inputs)
                .viewed(as: Shape.checked([batch, channels * area, height / block, width / block]))
        )
    }
}
