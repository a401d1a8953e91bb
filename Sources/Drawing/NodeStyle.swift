/// How a kind of node looks.
///
/// Text is dark on light fill, at a contrast of over 7 to 1.
enum NodeStyle: String, CaseIterable {
    case input, output, linear, normalization, activation, recurrence, reduction, control, shape, arithmetic,
        bodyValue

    /// The style of an operator.
    ///
    /// - Parameter type: The operator's name.
    init(operatorType type: String) {
        self = Self.styles[type] ?? .arithmetic
    }

    /// The attributes of a node in dot.
    var attributes: String {
        let (fill, line) = colours
        let form =
            switch self {
            case .input, .output: "shape=box, style=\"filled,rounded,bold\""
            case .bodyValue: "shape=ellipse, style=filled, fontsize=9, height=0.25, margin=\"0.04,0.02\""
            case .control: "shape=cds, style=filled"
            default: "shape=box, style=\"filled,rounded\""
            }
        return "\(form), fillcolor=\"\(fill)\", color=\"\(line)\""
    }

    private var colours: (fill: String, line: String) {
        switch self {
        case .input: ("#dff1e0", "#2f7d32")
        case .output: ("#fde3d3", "#b3541e")
        case .linear: ("#d9e6f8", "#2b5fa8")
        case .normalization: ("#c9ead0", "#2f7d32")
        case .activation: ("#fdf0c4", "#a67c00")
        case .recurrence: ("#cfe0f5", "#1f4e8c")
        case .reduction: ("#eadcf4", "#6f3f96")
        case .control: ("#e6e0f8", "#51439b")
        case .shape: ("#eeeeee", "#8a8a8a")
        case .arithmetic: ("#ffffff", "#555555")
        case .bodyValue: ("#f7f7fb", "#51439b")
        }
    }

    private static let styles: [String: NodeStyle] = {
        let names: [NodeStyle: String] = [
            .linear:
                "Conv ConvTranspose MatMul Gemm Attention MultiHeadAttention Einsum FusedConv FusedMatMul QLinearConv "
                + "QLinearMatMul ConvInteger MatMulInteger MatMulNBits",
            .normalization:
                "BatchNormalization LayerNormalization InstanceNormalization GroupNormalization RMSNormalization "
                + "LpNormalization MeanVarianceNormalization SkipLayerNormalization SimplifiedLayerNormalization",
            .activation:
                "Relu LeakyRelu PRelu Elu Selu Celu Gelu Sigmoid HardSigmoid HardSwish Mish Swish Tanh Softplus Softsign "
                + "Softmax LogSoftmax Hardmax Erf ThresholdedRelu Clip FastGelu BiasGelu",
            .recurrence: "LSTM GRU RNN",
            .reduction:
                "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp "
                + "ReduceSumSquare ArgMax ArgMin TopK GlobalAveragePool GlobalMaxPool GlobalLpPool AveragePool MaxPool LpPool CumSum",
            .control: "If Loop Scan SequenceMap",
            .shape:
                "Shape Size Reshape Transpose Squeeze Unsqueeze Flatten Expand Concat Split Slice Gather GatherElements "
                + "GatherND Cast CastLike Identity Range ConstantOfShape Constant Pad Tile ScatterElements ScatterND "
                + "SequenceEmpty SequenceInsert SequenceAt SequenceErase SequenceConstruct SequenceLength "
                + "ConcatFromSequence SplitToSequence Optional OptionalGetElement OptionalHasElement Trilu EyeLike OneHot "
                + "NonZero Compress ReverseSequence Dropout",
        ]
        var styles: [String: NodeStyle] = [:]
        for (style, list) in names {
            for name in list.split(separator: " ") { styles[String(name)] = style }
        }
        return styles
    }()
}
