import Foundation
import TensorCore

/// Attention: `softmax(scale * Q * K' + bias) * V`, for each sample and head, of opsets 23 and newer.
///
/// Q, K and V are `[B, heads, L, width]` or `[B, L, heads * width]`; several query heads may share one head of keys.
/// The bias is a mask that is added, or bools of which false forbids, and what `is_causal`, windows and the number of
/// valid keys allow. A query that may see no key gives zeros.
///
/// Scores are kept for a few queries at a time, so memory grows with the number of keys alone, unless the scores are
/// asked for as an output. 16-bit floats are computed in float32, which is no less than any `softmax_precision` that
/// names one of them.
struct Attention: Operator {
    /// Which stage of the scores the last output shows.
    enum ScoresOutput: Int, Sendable { case product, softcapped, biased, probabilities }

    let scale: Float?
    let softcap: Float
    let isCausal: Bool
    let queryHeads: Int?
    let keyHeads: Int?
    let scoresOutput: ScoresOutput
    /// How many positions before and behind its own a query sees; nil for all.
    let window: (left: Int?, right: Int?)
    /// Whether a mask with fewer keys than there are forbids the others.
    let padsMask: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...(reader.opset < 24 ? 6 : 7))
        try reader.expectOutputs(1...4)
        scale = try reader.float("scale")
        softcap = try reader.float("softcap", default: 0)
        isCausal = try reader.flag("is_causal", default: false)
        queryHeads = try reader.int("q_num_heads")
        keyHeads = try reader.int("kv_num_heads")
        for (name, heads) in [("q_num_heads", queryHeads), ("kv_num_heads", keyHeads)] {
            if let heads, heads < 1 { throw .attributeValue(name) }
        }
        guard let stage = ScoresOutput(rawValue: try reader.int("qk_matmul_output_mode", default: 0)) else {
            throw .attributeValue("qk_matmul_output_mode")
        }
        scoresOutput = stage
        if let precision = try reader.int("softmax_precision"), ![1, 10, 11, 16].contains(precision) {
            throw .attributeValue("softmax_precision")
        }
        var window: (left: Int?, right: Int?)
        if reader.opset >= 25 {
            window.left = try Self.windowSize("left_window_size", &reader)
            window.right = try Self.windowSize("right_window_size", &reader)
        }
        self.window = window
        padsMask = reader.opset >= 24
    }

    private static func windowSize(
        _ name: String,
        _ reader: inout AttributeReader
    ) throws(OperatorError) -> Int? {
        let size = try reader.int(name, default: -1)
        guard size >= -1, size < 1 << 31 else { throw .attributeValue(name) }
        return size < 0 ? nil : size
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let query = try inputs[0]
        for index in [1, 2, 4, 5] {
            guard let tensor = inputs.optional(index) else { continue }
            guard tensor.elementType == query.elementType else {
                throw .elementTypesDiffer(query.elementType, tensor.elementType)
            }
        }
        return try AttentionWork(self, inputs).run(for: query.elementType, input: 0)
    }
}
