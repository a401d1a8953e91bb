import ONNXGraph
import TensorCore

/// FusedMatMul: `alpha * A * B`, each side transposed if asked for.
///
/// `transBatchA` and `transBatchB` say that the first axis of a side stands for its rows, or for its columns if it is
/// transposed as well.
enum FusedMatMul {
    static func expand(_ node: inout FusedNode) throws(OperatorError) {
        try node.reader.expectInputs(2...2)
        try node.refuseOutputs(from: 1)
        let alpha = try node.reader.float("alpha", default: 1)
        var sides: [String] = []
        for (index, letter) in ["A", "B"].enumerated() {
            var side = try node.required(index)
            let swaps = try node.reader.flag("trans\(letter)", default: false)
            let movesBatch = try node.reader.flag("transBatch\(letter)", default: false)
            if swaps || movesBatch {
                let attributes = [
                    Attribute("swap", .int(swaps ? 1 : 0)), Attribute("batch", .int(movesBatch ? 1 : 0)),
                ]
                side = node.put("SwapAxes", [side], attributes, domain: OperatorRegistry.ownDomain)
            }
            sides.append(side)
        }
        let product = node.put("MatMul", sides, to: alpha == 1 ? node.output(0) : nil)
        if alpha != 1 { node.put("Mul", [product, node.constant(.float(alpha))], to: node.output(0)) }
    }
}

/// SwapAxes, an operator of this engine: a tensor of any rank with its first axis moved to the last but one place,
/// if `batch` is 1, and then the last two exchanged, if `swap` is 1.
struct SwapAxes: Operator, TakingAllTypes {
    private let swaps: Bool
    private let movesBatch: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        swaps = try reader.flag("swap", default: false)
        movesBatch = try reader.flag("batch", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let rank = x.shape.rank
        guard rank >= 2 else { return .one(x) }
        var order = Array(0..<rank)
        if movesBatch && rank > 2 { order.insert(order.removeFirst(), at: rank - 2) }
        if swaps { order.swapAt(rank - 1, rank - 2) }
        return .one(try TransposeOperator.permute(x, order, inputs))
    }
}
