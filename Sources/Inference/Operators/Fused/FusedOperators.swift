import ONNXGraph

/// The operators that onnxruntime's optimizer writes in place of several of ONNX's own: one line each, sorted.
enum FusedOperators {
    typealias Expansion = @Sendable (inout FusedNode) throws(OperatorError) -> Void

    static let domain = "com.microsoft"

    /// The expansion of a node's operator, nil if it is none of these.
    static func expansion(domain: String, name: String) -> Expansion? {
        if domain == Self.domain { return expansions[name] }
        // onnxruntime's optimizer puts this one into ONNX's own domain, where no version of ONNX has it.
        return domain.isEmpty && name == simplified ? SkipLayerNormalization.simplified : nil
    }

    private static let simplified = "SimplifiedLayerNormalization"

    static let expansions: [String: Expansion] = [
        "Attention": PackedAttention.expand,
        "BiasGelu": FusedGelu.bias,
        "EmbedLayerNormalization": EmbedLayerNormalization.expand,
        "FastGelu": FusedGelu.fast,
        "FusedConv": FusedConv.expand,
        "FusedGemm": FusedGemm.expand,
        "FusedMatMul": FusedMatMul.expand,
        "Gelu": FusedGelu.exact,
        "MultiHeadAttention": MultiHeadAttention.expand,
        "QuickGelu": FusedGelu.quick,
        "RotaryEmbedding": FusedRotaryEmbedding.expand,
        simplified: SkipLayerNormalization.simplified,
        "SkipLayerNormalization": SkipLayerNormalization.expand,
        "SkipSimplifiedLayerNormalization": SkipLayerNormalization.skipSimplified,
    ]
}
