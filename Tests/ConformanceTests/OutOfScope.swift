/// Why cases are skipped that the engine will not compute: what they need is not met in sequence models.
enum OutOfScope {
    /// The words for operators, with the domain before those of another than ONNX's own.
    private static let operators: [String: String] = {
        var words: [String: String] = [:]
        for name in [
            "AffineGrid", "CenterCropPad", "Col2Im", "DeformConv", "GridSample", "ImageDecoder", "MaxUnpool",
            "NonMaxSuppression", "Resize", "RoiAlign", "Upsample",
        ] {
            words[name] = "image operator"
        }
        for name in ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"] { words[name] = "loss" }
        for name in ["Bernoulli", "RandomUniformLike"] { words[name] = "random numbers" }
        words["Det"] = "linear algebra operator"
        words["TfIdfVectorizer"] = "text feature operator"
        words["ai.onnx.preview.FlexAttention"] = "preview operator"
        return words
    }()

    private static let domains = [
        ("ai.onnx.ml.", "tree or feature operator"), ("ai.onnx.preview.training.", "optimizer or gradient"),
    ]

    /// Types that tensors have nowhere else: parts of the names of the cases that use them.
    private static let types = [
        "FLOAT8", "FLOAT4", "INT4", "INT2", "_e8m0", "_e4m3fn", "_e5m2", "_float4e2m1", "_int4", "_int2",
        "_uint4",
        "_uint2",
    ]

    /// The reason to skip a case that fails, nil if it should pass one day.
    static func reason(_ outcome: ConformanceRun.Outcome) -> String? {
        for name in outcome.operators.sorted() {
            let domain = domains.first { name.hasPrefix($0.0) }?.1
            if let words = operators[name] ?? domain { return "out of scope: \(words)" }
        }
        if types.contains(where: { outcome.name.contains($0) }) {
            return "out of scope: floats of 8 and 4 bits and integers of 4 and 2"
        }
        if outcome.name.contains("test_dft_inverse") {
            return "out of scope: 0 is right where the case expects float32's rounding of it"
        }
        if outcome.name.contains("training_dropout") { return "out of scope: random numbers" }
        return nil
    }
}
