import TensorCore

/// All operators: one line each, sorted.
///
/// Opsets start at the version whose rules the operator's file reads; files of older opsets name those operators
/// with rules that are not kept here.
public enum OperatorRegistry {
    struct Entry: Sendable {
        let name: String
        let opsets: ClosedRange<Int>
        let make: @Sendable (inout AttributeReader) throws(OperatorError) -> any Operator

        init(
            _ name: String,
            since opset: Int = 6,
            _ make: @escaping @Sendable (inout AttributeReader) throws(OperatorError) -> any Operator
        ) {
            self.name = name
            opsets = opset...newestOpset
            self.make = make
        }
    }

    /// The newest opset whose rules are read.
    static let newestOpset = 28

    /// Each operator's name and the opsets in which it is supported, sorted by name.
    ///
    /// A name of another domain than ONNX's own has the domain before it: `com.microsoft.FusedConv`.
    public static var supported: [(name: String, opsets: ClosedRange<Int>)] {
        let fused = FusedOperators.expansions.keys.map {
            (name: "\(FusedOperators.domain).\($0)", opsets: 1...1)
        }
        return (entries.map { ($0.name, $0.opsets) } + fused).sorted { $0.name < $1.name }
    }

    /// The domain of operators that only nodes have which this engine writes.
    static let ownDomain = "seqnorm"

    static func entry(_ name: String, domain: String, opset: Int) -> Entry? {
        if domain == ownDomain { return own[name] }
        guard domain.isEmpty else { return nil }
        return byName[name].flatMap { $0.opsets.contains(opset) ? $0 : nil }
    }

    private static let own: [String: Entry] = [
        "AttentionMask": Entry("AttentionMask") { (reader) throws(OperatorError) in try AttentionMask(&reader)
        },
        "SwapAxes": Entry("SwapAxes") { (reader) throws(OperatorError) in try SwapAxes(&reader) },
    ]

    /// A node's operator; before opset 7 a second operand may be broadcast from an axis that an attribute names.
    static func make(_ entry: Entry, _ reader: inout AttributeReader) throws(OperatorError) -> any Operator {
        let computation = try entry.make(&reader)
        guard reader.opset < 7, computation is any BroadcastingOperator else { return computation }
        return try LegacyBroadcast.wrapping(computation, &reader)
    }

    private static let byName = Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }

    static let entries: [Entry] = [
        Entry("Abs") { (reader) throws(OperatorError) in try Unary(.absolute, &reader) },
        Entry("Acos", since: 7) { (reader) throws(OperatorError) in try ScalarFunction(.acos, &reader) },
        Entry("Acosh", since: 9) { (reader) throws(OperatorError) in try ScalarFunction(.acosh, &reader) },
        Entry("Add") { (reader) throws(OperatorError) in try Arithmetic(.add, &reader) },
        Entry("And") { (reader) throws(OperatorError) in try Logical(.and, &reader) },
        Entry("ArgMax") { (reader) throws(OperatorError) in try ArgumentExtreme(largest: true, &reader) },
        Entry("ArgMin") { (reader) throws(OperatorError) in try ArgumentExtreme(largest: false, &reader) },
        Entry("Asin", since: 7) { (reader) throws(OperatorError) in try ScalarFunction(.asin, &reader) },
        Entry("Asinh", since: 9) { (reader) throws(OperatorError) in try ScalarFunction(.asinh, &reader) },
        Entry("Atan", since: 7) { (reader) throws(OperatorError) in try ScalarFunction(.atan, &reader) },
        Entry("Atanh", since: 9) { (reader) throws(OperatorError) in try ScalarFunction(.atanh, &reader) },
        Entry("Attention", since: 23) { (reader) throws(OperatorError) in try Attention(&reader) },
        Entry("AveragePool") { (reader) throws(OperatorError) in try AveragePool(&reader) },
        Entry("BatchNormalization") { (reader) throws(OperatorError) in try BatchNormalization(&reader) },
        Entry("BitCast", since: 26) { (reader) throws(OperatorError) in try BitCast(&reader) },
        Entry("BitShift", since: 11) { (reader) throws(OperatorError) in try Bitwise(shift: &reader) },
        Entry("BitwiseAnd", since: 18) { (reader) throws(OperatorError) in try Bitwise(.and, &reader) },
        Entry("BitwiseNot", since: 18) { (reader) throws(OperatorError) in try BitwiseNot(&reader) },
        Entry("BitwiseOr", since: 18) { (reader) throws(OperatorError) in try Bitwise(.or, &reader) },
        Entry("BitwiseXor", since: 18) { (reader) throws(OperatorError) in try Bitwise(.xor, &reader) },
        Entry("BlackmanWindow", since: 17) { (reader) throws(OperatorError) in
            try SignalWindow(.blackman, &reader)
        },
        Entry("Cast") { (reader) throws(OperatorError) in try Cast(&reader) },
        Entry("CastLike", since: 15) { (reader) throws(OperatorError) in try Cast(like: &reader) },
        Entry("CausalConvWithState", since: 27) { (reader) throws(OperatorError) in
            try CausalConvWithState(&reader)
        },
        Entry("Ceil") { (reader) throws(OperatorError) in try Unary(.ceiling, &reader) },
        Entry("Celu", since: 12) { (reader) throws(OperatorError) in try ScalarFunction(celu: &reader) },
        Entry("Clip") { (reader) throws(OperatorError) in try Clip(&reader) },
        Entry("Compress", since: 9) { (reader) throws(OperatorError) in try Compress(&reader) },
        Entry("Concat") { (reader) throws(OperatorError) in try Concat(&reader) },
        Entry("ConcatFromSequence", since: 11) { (reader) throws(OperatorError) in
            try ConcatFromSequence(&reader)
        },
        Entry("Constant") { (reader) throws(OperatorError) in
            if let strings = try StringConstant(&reader) { return strings }
            return try Constant(&reader)
        },
        Entry("ConstantOfShape", since: 9) { (reader) throws(OperatorError) in try ConstantOfShape(&reader) },
        Entry("Conv") { (reader) throws(OperatorError) in try Conv(&reader) },
        Entry("ConvInteger", since: 10) { (reader) throws(OperatorError) in try ConvInteger(&reader) },
        Entry("ConvTranspose") { (reader) throws(OperatorError) in try ConvTranspose(&reader) },
        Entry("Cos", since: 7) { (reader) throws(OperatorError) in try ScalarFunction(.cos, &reader) },
        Entry("Cosh", since: 9) { (reader) throws(OperatorError) in try ScalarFunction(.cosh, &reader) },
        Entry("CumProd", since: 26) { (reader) throws(OperatorError) in
            try Cumulative(multiplies: true, &reader)
        },
        Entry("CumSum", since: 11) { (reader) throws(OperatorError) in
            try Cumulative(multiplies: false, &reader)
        },
        Entry("DFT", since: 17) { (reader) throws(OperatorError) in try DFT(&reader) },
        Entry("DepthToSpace") { (reader) throws(OperatorError) in try DepthSpace(toSpace: true, &reader) },
        Entry("DequantizeLinear", since: 10) { (reader) throws(OperatorError) in try DequantizeLinear(&reader)
        },
        Entry("Div") { (reader) throws(OperatorError) in try Arithmetic(.divide, &reader) },
        Entry("Dropout") { (reader) throws(OperatorError) in try Dropout(&reader) },
        Entry("DynamicQuantizeLinear", since: 11) { (reader) throws(OperatorError) in
            try DynamicQuantizeLinear(&reader)
        },
        Entry("Einsum", since: 12) { (reader) throws(OperatorError) in try Einsum(&reader) },
        Entry("Elu") { (reader) throws(OperatorError) in try ScalarFunction(elu: &reader) },
        Entry("Equal") { (reader) throws(OperatorError) in try Comparison(.equal, &reader) },
        Entry("Erf", since: 9) { (reader) throws(OperatorError) in try Unary(.erf, &reader) },
        Entry("Exp") { (reader) throws(OperatorError) in try Unary(.exp, &reader) },
        Entry("Expand", since: 8) { (reader) throws(OperatorError) in try Expand(&reader) },
        Entry("EyeLike", since: 9) { (reader) throws(OperatorError) in try EyeLike(&reader) },
        Entry("Flatten") { (reader) throws(OperatorError) in try Flatten(&reader) },
        Entry("Floor") { (reader) throws(OperatorError) in try Unary(.floor, &reader) },
        Entry("GRU") { (reader) throws(OperatorError) in try GRU(&reader) },
        Entry("Gather") { (reader) throws(OperatorError) in try GatherOperator(&reader) },
        Entry("GatherElements", since: 11) { (reader) throws(OperatorError) in try GatherElements(&reader) },
        Entry("GatherND", since: 11) { (reader) throws(OperatorError) in try GatherND(&reader) },
        Entry("Gelu", since: 20) { (reader) throws(OperatorError) in try Unary(gelu: &reader) },
        Entry("Gemm") { (reader) throws(OperatorError) in try Gemm(&reader) },
        Entry("GlobalAveragePool") { (reader) throws(OperatorError) in try GlobalPool(.mean, &reader) },
        Entry("GlobalLpPool") { (reader) throws(OperatorError) in try GlobalPool(norm: &reader) },
        Entry("GlobalMaxPool") { (reader) throws(OperatorError) in try GlobalPool(.maximum, &reader) },
        Entry("Greater") { (reader) throws(OperatorError) in try Comparison(.greater, &reader) },
        Entry("GreaterOrEqual", since: 12) { (reader) throws(OperatorError) in
            try Comparison(.greaterOrEqual, &reader)
        },
        Entry("GroupNormalization", since: 18) { (reader) throws(OperatorError) in
            try GroupNormalization(&reader)
        },
        Entry("HammingWindow", since: 17) { (reader) throws(OperatorError) in
            try SignalWindow(.hamming, &reader)
        },
        Entry("HannWindow", since: 17) { (reader) throws(OperatorError) in try SignalWindow(.hann, &reader) },
        Entry("HardSigmoid") { (reader) throws(OperatorError) in try ScalarFunction(hardSigmoid: &reader) },
        Entry("HardSwish", since: 14) { (reader) throws(OperatorError) in
            try ScalarFunction(.hardSwish, &reader)
        },
        Entry("Hardmax") { (reader) throws(OperatorError) in try Hardmax(&reader) },
        Entry("Identity") { (reader) throws(OperatorError) in try Identity(&reader) },
        Entry("If") { (reader) throws(OperatorError) in try If(&reader) },
        Entry("InstanceNormalization") { (reader) throws(OperatorError) in
            try GroupNormalization(instance: &reader)
        },
        Entry("IsInf", since: 10) { (reader) throws(OperatorError) in try FloatPredicate(isInfinite: &reader)
        },
        Entry("IsNaN", since: 9) { (reader) throws(OperatorError) in try FloatPredicate(isNaN: &reader) },
        Entry("LRN") { (reader) throws(OperatorError) in try LRN(&reader) },
        Entry("LSTM") { (reader) throws(OperatorError) in try LSTM(&reader) },
        // onnxruntime's optimizer writes it into files of older opsets, too.
        Entry("LayerNormalization") { (reader) throws(OperatorError) in
            try LayerNormalizationOperator(&reader)
        },
        Entry("LeakyRelu") { (reader) throws(OperatorError) in try ScalarFunction(leakyRelu: &reader) },
        Entry("Less") { (reader) throws(OperatorError) in try Comparison(.less, &reader) },
        Entry("LessOrEqual", since: 12) { (reader) throws(OperatorError) in
            try Comparison(.lessOrEqual, &reader)
        },
        Entry("LinearAttention", since: 27) { (reader) throws(OperatorError) in try LinearAttention(&reader)
        },
        Entry("Log") { (reader) throws(OperatorError) in try Unary(.log, &reader) },
        Entry("LogSoftmax") { (reader) throws(OperatorError) in try SoftmaxOperator(logarithm: true, &reader)
        },
        Entry("Loop") { (reader) throws(OperatorError) in try Loop(&reader) },
        Entry("LpNormalization") { (reader) throws(OperatorError) in try LpNormalization(&reader) },
        Entry("LpPool") { (reader) throws(OperatorError) in try AveragePool(norm: &reader) },
        Entry("MatMul") { (reader) throws(OperatorError) in try MatMul(&reader) },
        Entry("MatMulInteger", since: 10) { (reader) throws(OperatorError) in try MatMulInteger(&reader) },
        Entry("Max") { (reader) throws(OperatorError) in try Variadic(.maximum, &reader) },
        Entry("MaxPool") { (reader) throws(OperatorError) in try MaxPool(&reader) },
        Entry("Mean") { (reader) throws(OperatorError) in try Variadic(.add, divides: true, &reader) },
        Entry("MeanVarianceNormalization", since: 9) { (reader) throws(OperatorError) in
            try MeanVarianceNormalization(&reader)
        },
        Entry("MelWeightMatrix", since: 17) { (reader) throws(OperatorError) in try MelWeightMatrix(&reader)
        },
        Entry("Min") { (reader) throws(OperatorError) in try Variadic(.minimum, &reader) },
        Entry("Mish", since: 18) { (reader) throws(OperatorError) in try ScalarFunction(.mish, &reader) },
        Entry("Mod", since: 10) { (reader) throws(OperatorError) in try Modulo(&reader) },
        Entry("Mul") { (reader) throws(OperatorError) in try Arithmetic(.multiply, &reader) },
        Entry("Neg") { (reader) throws(OperatorError) in try Unary(.negate, &reader) },
        Entry("NonZero", since: 9) { (reader) throws(OperatorError) in try NonZero(&reader) },
        Entry("Not") { (reader) throws(OperatorError) in try Not(&reader) },
        Entry("OneHot", since: 9) { (reader) throws(OperatorError) in try OneHot(&reader) },
        Entry("Optional", since: 15) { (reader) throws(OperatorError) in try OptionalOperator(&reader) },
        Entry("OptionalGetElement", since: 15) { (reader) throws(OperatorError) in
            try OptionalGetElement(&reader)
        },
        Entry("OptionalHasElement", since: 15) { (reader) throws(OperatorError) in
            try OptionalHasElement(&reader)
        },
        Entry("Or") { (reader) throws(OperatorError) in try Logical(.or, &reader) },
        Entry("PRelu") { (reader) throws(OperatorError) in try PRelu(&reader) },
        Entry("Pad") { (reader) throws(OperatorError) in try Pad(&reader) },
        Entry("Pow") { (reader) throws(OperatorError) in try Power(&reader) },
        Entry("QLinearConv", since: 10) { (reader) throws(OperatorError) in try QLinearConv(&reader) },
        Entry("QLinearMatMul", since: 10) { (reader) throws(OperatorError) in try QLinearMatMul(&reader) },
        Entry("QuantizeLinear", since: 10) { (reader) throws(OperatorError) in try QuantizeLinear(&reader) },
        Entry("RMSNormalization", since: 23) { (reader) throws(OperatorError) in try RMSNormalization(&reader)
        },
        Entry("RNN") { (reader) throws(OperatorError) in try RNN(&reader) },
        Entry("Range", since: 11) { (reader) throws(OperatorError) in try RangeOperator(&reader) },
        Entry("Reciprocal") { (reader) throws(OperatorError) in try Unary(.reciprocal, &reader) },
        Entry("ReduceL1") { (reader) throws(OperatorError) in try ReduceRows(.sumOfMagnitudes, &reader) },
        Entry("ReduceL2") { (reader) throws(OperatorError) in
            try Reduce(.norm, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceLogSum") { (reader) throws(OperatorError) in try ReduceRows(.logarithmOfSum, &reader) },
        Entry("ReduceLogSumExp") { (reader) throws(OperatorError) in
            try ReduceRows(.logarithmOfSumOfExponentials, &reader)
        },
        Entry("ReduceMax") { (reader) throws(OperatorError) in
            try Reduce(.maximum, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceMean") { (reader) throws(OperatorError) in
            try Reduce(.mean, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceMin") { (reader) throws(OperatorError) in
            try Reduce(.minimum, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceProd") { (reader) throws(OperatorError) in try ReduceRows(.product, &reader) },
        Entry("ReduceSum") { (reader) throws(OperatorError) in
            try Reduce(.sum, axesAreInputSince: 13, &reader)
        },
        Entry("ReduceSumSquare") { (reader) throws(OperatorError) in
            try Reduce(.sumOfSquares, axesAreInputSince: 18, &reader)
        },
        Entry("Relu") { (reader) throws(OperatorError) in try Unary(.relu, &reader) },
        Entry("Reshape") { (reader) throws(OperatorError) in try Reshape(&reader) },
        Entry("ReverseSequence", since: 10) { (reader) throws(OperatorError) in try ReverseSequence(&reader)
        },
        Entry("RotaryEmbedding", since: 23) { (reader) throws(OperatorError) in try RotaryEmbedding(&reader)
        },
        Entry("Round", since: 11) { (reader) throws(OperatorError) in try Unary(.round, &reader) },
        Entry("STFT", since: 17) { (reader) throws(OperatorError) in try STFT(&reader) },
        Entry("Scan", since: 8) { (reader) throws(OperatorError) in
            if reader.opset < 9 { return try BatchedScan(&reader) }
            return try Scan(&reader)
        },
        Entry("Scatter", since: 9) { (reader) throws(OperatorError) in try Scatter(elements: &reader) },
        Entry("ScatterElements", since: 11) { (reader) throws(OperatorError) in try Scatter(elements: &reader)
        },
        Entry("ScatterND", since: 11) { (reader) throws(OperatorError) in try Scatter(slices: &reader) },
        Entry("Selu") { (reader) throws(OperatorError) in try ScalarFunction(selu: &reader) },
        Entry("SequenceAt", since: 11) { (reader) throws(OperatorError) in try SequenceAt(&reader) },
        Entry("SequenceConstruct", since: 11) { (reader) throws(OperatorError) in
            try SequenceConstruct(&reader)
        },
        Entry("SequenceEmpty", since: 11) { (reader) throws(OperatorError) in try SequenceEmpty(&reader) },
        Entry("SequenceErase", since: 11) { (reader) throws(OperatorError) in try SequenceErase(&reader) },
        Entry("SequenceInsert", since: 11) { (reader) throws(OperatorError) in try SequenceInsert(&reader) },
        Entry("SequenceLength", since: 11) { (reader) throws(OperatorError) in try SequenceLength(&reader) },
        Entry("SequenceMap", since: 17) { (reader) throws(OperatorError) in try SequenceMap(&reader) },
        Entry("Shape") { (reader) throws(OperatorError) in try ShapeOperator(&reader) },
        Entry("Shrink", since: 9) { (reader) throws(OperatorError) in try ScalarFunction(shrink: &reader) },
        Entry("Sigmoid") { (reader) throws(OperatorError) in try Unary(.sigmoid, &reader) },
        Entry("Sign", since: 9) { (reader) throws(OperatorError) in try Unary(.sign, &reader) },
        Entry("Sin", since: 7) { (reader) throws(OperatorError) in try ScalarFunction(.sin, &reader) },
        Entry("Sinh", since: 9) { (reader) throws(OperatorError) in try ScalarFunction(.sinh, &reader) },
        Entry("Size") { (reader) throws(OperatorError) in try Size(&reader) },
        Entry("Slice") { (reader) throws(OperatorError) in try Slice(&reader) },
        Entry("Softmax") { (reader) throws(OperatorError) in try SoftmaxOperator(logarithm: false, &reader) },
        Entry("Softplus") { (reader) throws(OperatorError) in try Unary(.softplus, &reader) },
        Entry("Softsign") { (reader) throws(OperatorError) in try ScalarFunction(.softsign, &reader) },
        Entry("SpaceToDepth") { (reader) throws(OperatorError) in try DepthSpace(toSpace: false, &reader) },
        Entry("Split") { (reader) throws(OperatorError) in try Split(&reader) },
        Entry("SplitToSequence", since: 11) { (reader) throws(OperatorError) in
            try SplitToSequence(&reader)
        },
        Entry("Sqrt") { (reader) throws(OperatorError) in try Unary(.squareRoot, &reader) },
        Entry("Squeeze") { (reader) throws(OperatorError) in try Squeeze(&reader) },
        Entry("StringConcat", since: 20) { (reader) throws(OperatorError) in try StringConcat(&reader) },
        Entry("StringNormalizer", since: 10) { (reader) throws(OperatorError) in
            try StringNormalizer(&reader)
        },
        Entry("StringSplit", since: 20) { (reader) throws(OperatorError) in try StringSplit(&reader) },
        Entry("Sub") { (reader) throws(OperatorError) in try Arithmetic(.subtract, &reader) },
        Entry("Sum") { (reader) throws(OperatorError) in try Variadic(.add, &reader) },
        Entry("Swish", since: 24) { (reader) throws(OperatorError) in try ScalarFunction(swish: &reader) },
        Entry("Tan", since: 7) { (reader) throws(OperatorError) in try ScalarFunction(.tan, &reader) },
        Entry("Tanh") { (reader) throws(OperatorError) in try Unary(.tanh, &reader) },
        Entry("TensorScatter", since: 24) { (reader) throws(OperatorError) in try TensorScatter(&reader) },
        Entry("ThresholdedRelu", since: 10) { (reader) throws(OperatorError) in
            try ScalarFunction(thresholdedRelu: &reader)
        },
        Entry("Tile") { (reader) throws(OperatorError) in try Tile(&reader) },
        Entry("TopK") { (reader) throws(OperatorError) in try TopK(&reader) },
        Entry("Transpose") { (reader) throws(OperatorError) in try TransposeOperator(&reader) },
        Entry("Trilu", since: 14) { (reader) throws(OperatorError) in try Trilu(&reader) },
        Entry("Unique", since: 11) { (reader) throws(OperatorError) in try Unique(&reader) },
        Entry("Unsqueeze") { (reader) throws(OperatorError) in try Unsqueeze(&reader) },
        Entry("Where", since: 9) { (reader) throws(OperatorError) in try Where(&reader) },
        Entry("Xor") { (reader) throws(OperatorError) in try Logical(.xor, &reader) },
    ]
}
