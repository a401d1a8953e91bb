import TensorCore

/// All operators: one line each, sorted.
///
/// Opsets start at the version whose rules the operator's file reads; files of older opsets name those operators
/// with rules that are not kept here.
public enum OperatorRegistry {
    struct Entry: Sendable {
        let name: String
        let opsets: ClosedRange<Int>
        /// The element types of the values it computes with.
        let elementTypes: ElementTypes
        /// Whether the operator can be run over the rows of many sequences at once.
        let hasRaggedRule: Bool
        let make: @Sendable (inout AttributeReader) throws(OperatorError) -> any Operator

        /// An operator; one that takes all types, or strings as numbers, need not say so again.
        init<Computation: Operator>(
            _ name: String,
            since opset: Int = 6,
            takes types: ElementTypes? = nil,
            _ make: @escaping @Sendable (inout AttributeReader) throws(OperatorError) -> Computation
        ) {
            self.init(name, since: opset, as: Computation.self, takes: types) {
                (reader) throws(OperatorError) in try make(&reader)
            }
        }

        /// An operator that is one of several computations.
        init(
            _ name: String,
            since opset: Int = 6,
            as computation: any Operator.Type,
            takes types: ElementTypes? = nil,
            _ make: @escaping @Sendable (inout AttributeReader) throws(OperatorError) -> any Operator
        ) {
            self.name = name
            opsets = opset...newestOpset
            let own = types ?? (computation is any TakingAllTypes.Type ? .all : [])
            elementTypes = computation is any TakingStrings.Type ? own + .strings : own
            hasRaggedRule = computation is any RaggedOperator.Type
            self.make = make
        }
    }

    /// The newest opset whose rules are read.
    static let newestOpset = 28

    /// What is told of an operator.
    public struct Support: Sendable {
        /// The name; that of another domain than ONNX's own has the domain before it: `com.microsoft.FusedConv`.
        public let name: String
        /// The opsets in which all its rules are kept.
        public let opsets: ClosedRange<Int>
        /// The element types of the values it computes with, in words; nil if they are those of the operators that it
        /// stands for.
        public let elementTypes: String?
        /// Whether it can be run over the rows of many sequences at once; nil if the operators that it stands for say.
        public let hasRaggedRule: Bool?
    }

    /// The operators, sorted by name.
    public static var supported: [Support] {
        let own = entries.map {
            Support(
                name: $0.name,
                opsets: $0.opsets,
                elementTypes: "\($0.elementTypes)",
                hasRaggedRule: $0.hasRaggedRule
            )
        }
        let fused = FusedOperators.expansions.keys.map {
            Support(
                name: "\(FusedOperators.domain).\($0)",
                opsets: 1...1,
                elementTypes: nil,
                hasRaggedRule: nil
            )
        }
        return (own + fused).sorted { $0.name < $1.name }
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
        "RotaryAngles": Entry("RotaryAngles") { (reader) throws(OperatorError) in try RotaryAngles(&reader) },
        "RotaryPositions": Entry("RotaryPositions") { (reader) throws(OperatorError) in
            try RotaryPositions(&reader)
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
        Entry("Abs", takes: .numbers) { (reader) throws(OperatorError) in try Unary(.absolute, &reader) },
        Entry("Acos", since: 7, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.acos, &reader)
        },
        Entry("Acosh", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.acosh, &reader)
        },
        Entry("Add", takes: .numbers) { (reader) throws(OperatorError) in try Arithmetic(.add, &reader) },
        Entry("And", takes: [.bool]) { (reader) throws(OperatorError) in try Logical(.and, &reader) },
        Entry("ArgMax", takes: .numbers) { (reader) throws(OperatorError) in
            try ArgumentExtreme(largest: true, &reader)
        },
        Entry("ArgMin", takes: .numbers) { (reader) throws(OperatorError) in
            try ArgumentExtreme(largest: false, &reader)
        },
        Entry("Asin", since: 7, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.asin, &reader)
        },
        Entry("Asinh", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.asinh, &reader)
        },
        Entry("Atan", since: 7, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.atan, &reader)
        },
        Entry("Atanh", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.atanh, &reader)
        },
        Entry("Attention", since: 23, takes: .floats) { (reader) throws(OperatorError) in
            try Attention(&reader)
        },
        Entry("AveragePool", takes: .floats) { (reader) throws(OperatorError) in try AveragePool(&reader) },
        Entry("BatchNormalization", takes: .floats) { (reader) throws(OperatorError) in
            try BatchNormalization(&reader)
        },
        Entry("BitCast", since: 26) { (reader) throws(OperatorError) in try BitCast(&reader) },
        Entry("BitShift", since: 11, takes: .integers) { (reader) throws(OperatorError) in
            try Bitwise(shift: &reader)
        },
        Entry("BitwiseAnd", since: 18, takes: .integers) { (reader) throws(OperatorError) in
            try Bitwise(.and, &reader)
        },
        Entry("BitwiseNot", since: 18, takes: .integers) { (reader) throws(OperatorError) in
            try BitwiseNot(&reader)
        },
        Entry("BitwiseOr", since: 18, takes: .integers) { (reader) throws(OperatorError) in
            try Bitwise(.or, &reader)
        },
        Entry("BitwiseXor", since: 18, takes: .integers) { (reader) throws(OperatorError) in
            try Bitwise(.xor, &reader)
        },
        Entry("BlackmanWindow", since: 17, takes: [.int32, .int64]) { (reader) throws(OperatorError) in
            try SignalWindow(.blackman, &reader)
        },
        Entry("Cast", takes: .everything) { (reader) throws(OperatorError) in try Cast(&reader) },
        Entry("CastLike", since: 15) { (reader) throws(OperatorError) in try Cast(like: &reader) },
        Entry("CausalConvWithState", since: 27, takes: .floats) { (reader) throws(OperatorError) in
            try CausalConvWithState(&reader)
        },
        Entry("Ceil", takes: .floats) { (reader) throws(OperatorError) in try Unary(.ceiling, &reader) },
        Entry("Celu", since: 12, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(celu: &reader)
        },
        Entry("Clip", takes: .numbers) { (reader) throws(OperatorError) in try Clip(&reader) },
        Entry("Compress", since: 9) { (reader) throws(OperatorError) in try Compress(&reader) },
        Entry("Concat") { (reader) throws(OperatorError) in try Concat(&reader) },
        Entry("ConcatFromSequence", since: 11) { (reader) throws(OperatorError) in
            try ConcatFromSequence(&reader)
        },
        Entry("Constant", as: Constant.self, takes: .everything) { (reader) throws(OperatorError) in
            if let strings = try StringConstant(&reader) { return strings }
            return try Constant(&reader)
        },
        Entry("ConstantOfShape", since: 9) { (reader) throws(OperatorError) in try ConstantOfShape(&reader) },
        Entry("Conv", takes: .floats) { (reader) throws(OperatorError) in try Conv(&reader) },
        Entry("ConvInteger", since: 10, takes: [.int8, .uint8]) { (reader) throws(OperatorError) in
            try ConvInteger(&reader)
        },
        Entry("ConvTranspose", takes: .floats) { (reader) throws(OperatorError) in try ConvTranspose(&reader)
        },
        Entry("Cos", since: 7, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.cos, &reader)
        },
        Entry("Cosh", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.cosh, &reader)
        },
        Entry("CumProd", since: 26, takes: .numbers) { (reader) throws(OperatorError) in
            try Cumulative(multiplies: true, &reader)
        },
        Entry("CumSum", since: 11, takes: .numbers) { (reader) throws(OperatorError) in
            try Cumulative(multiplies: false, &reader)
        },
        Entry("DFT", since: 17, takes: .floats) { (reader) throws(OperatorError) in try DFT(&reader) },
        Entry("DepthToSpace") { (reader) throws(OperatorError) in try DepthSpace(toSpace: true, &reader) },
        Entry("DequantizeLinear", since: 10, takes: [.int8, .int16, .int32, .uint8, .uint16] + .narrow) {
            (reader) throws(OperatorError) in try DequantizeLinear(&reader)
        },
        Entry("Div", takes: .numbers) { (reader) throws(OperatorError) in try Arithmetic(.divide, &reader) },
        Entry("Dropout", takes: .all) { (reader) throws(OperatorError) in try Dropout(&reader) },
        Entry("DynamicQuantizeLinear", since: 11, takes: [.float32, .float16, .bfloat16]) {
            (reader) throws(OperatorError) in
            try DynamicQuantizeLinear(&reader)
        },
        Entry("Einsum", since: 12, takes: .numbers) { (reader) throws(OperatorError) in try Einsum(&reader) },
        Entry("Elu", takes: .floats) { (reader) throws(OperatorError) in try ScalarFunction(elu: &reader) },
        Entry("Equal", takes: .wide) { (reader) throws(OperatorError) in try Comparison(.equal, &reader) },
        Entry("Erf", since: 9, takes: .floats) { (reader) throws(OperatorError) in try Unary(.erf, &reader) },
        Entry("Exp", takes: .floats) { (reader) throws(OperatorError) in try Unary(.exp, &reader) },
        Entry("Expand", since: 8) { (reader) throws(OperatorError) in try Expand(&reader) },
        Entry("EyeLike", since: 9) { (reader) throws(OperatorError) in try EyeLike(&reader) },
        Entry("Flatten") { (reader) throws(OperatorError) in try Flatten(&reader) },
        Entry("Floor", takes: .floats) { (reader) throws(OperatorError) in try Unary(.floor, &reader) },
        Entry("GRU", takes: .floats) { (reader) throws(OperatorError) in
            try GRU(&reader)
        },
        Entry("Gather") { (reader) throws(OperatorError) in try GatherOperator(&reader) },
        Entry("GatherElements", since: 11) { (reader) throws(OperatorError) in try GatherElements(&reader) },
        Entry("GatherND", since: 11) { (reader) throws(OperatorError) in try GatherND(&reader) },
        Entry("Gelu", since: 20, takes: .floats) { (reader) throws(OperatorError) in try Unary(gelu: &reader)
        },
        Entry("Gemm", takes: .numbers) { (reader) throws(OperatorError) in try Gemm(&reader) },
        Entry("GlobalAveragePool", takes: .floats) { (reader) throws(OperatorError) in
            try GlobalPool(.mean, &reader)
        },
        Entry("GlobalLpPool", takes: .floats) { (reader) throws(OperatorError) in
            try GlobalPool(norm: &reader)
        },
        Entry("GlobalMaxPool", takes: .floats) { (reader) throws(OperatorError) in
            try GlobalPool(.maximum, &reader)
        },
        Entry("Greater", takes: .numbers) { (reader) throws(OperatorError) in
            try Comparison(.greater, &reader)
        },
        Entry("GreaterOrEqual", since: 12, takes: .numbers) { (reader) throws(OperatorError) in
            try Comparison(.greaterOrEqual, &reader)
        },
        Entry("GroupNormalization", since: 18, takes: .floats) { (reader) throws(OperatorError) in
            try GroupNormalization(&reader)
        },
        Entry("HammingWindow", since: 17, takes: [.int32, .int64]) { (reader) throws(OperatorError) in
            try SignalWindow(.hamming, &reader)
        },
        Entry("HannWindow", since: 17, takes: [.int32, .int64]) { (reader) throws(OperatorError) in
            try SignalWindow(.hann, &reader)
        },
        Entry("HardSigmoid", takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(hardSigmoid: &reader)
        },
        Entry("HardSwish", since: 14, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.hardSwish, &reader)
        },
        Entry("Hardmax", takes: .floats) { (reader) throws(OperatorError) in try Hardmax(&reader) },
        Entry("Identity", takes: .everything) { (reader) throws(OperatorError) in try Identity(&reader) },
        Entry("If") { (reader) throws(OperatorError) in try If(&reader) },
        Entry("InstanceNormalization", takes: .floats) { (reader) throws(OperatorError) in
            try GroupNormalization(instance: &reader)
        },
        Entry("IsInf", since: 10, takes: .floats) { (reader) throws(OperatorError) in
            try FloatPredicate(isInfinite: &reader)
        },
        Entry("IsNaN", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try FloatPredicate(isNaN: &reader)
        },
        Entry("LRN", takes: .floats) { (reader) throws(OperatorError) in try LRN(&reader) },
        Entry("LSTM", takes: .floats) { (reader) throws(OperatorError) in
            try LSTM(&reader)
        },
        // onnxruntime's optimizer writes it into files of older opsets, too.
        Entry("LayerNormalization", takes: .floats) { (reader) throws(OperatorError) in
            try LayerNormalizationOperator(&reader)
        },
        Entry("LeakyRelu", takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(leakyRelu: &reader)
        },
        Entry("Less", takes: .numbers) { (reader) throws(OperatorError) in try Comparison(.less, &reader) },
        Entry("LessOrEqual", since: 12, takes: .numbers) { (reader) throws(OperatorError) in
            try Comparison(.lessOrEqual, &reader)
        },
        Entry("LinearAttention", since: 27, takes: .floats) { (reader) throws(OperatorError) in
            try LinearAttention(&reader)
        },
        Entry("Log", takes: .floats) { (reader) throws(OperatorError) in try Unary(.log, &reader) },
        Entry("LogSoftmax", takes: .floats) { (reader) throws(OperatorError) in
            try SoftmaxOperator(logarithm: true, &reader)
        },
        Entry("Loop") { (reader) throws(OperatorError) in try Loop(&reader) },
        Entry("LpNormalization", takes: .floats) { (reader) throws(OperatorError) in
            try LpNormalization(&reader)
        },
        Entry("LpPool", takes: .floats) { (reader) throws(OperatorError) in try AveragePool(norm: &reader) },
        Entry("MatMul", takes: .numbers) { (reader) throws(OperatorError) in try MatMul(&reader) },
        Entry("MatMulInteger", since: 10, takes: [.int8, .uint8]) { (reader) throws(OperatorError) in
            try MatMulInteger(&reader)
        },
        Entry("Max", takes: .numbers) { (reader) throws(OperatorError) in try Variadic(.maximum, &reader) },
        Entry("MaxPool", takes: .floats + [.int8, .uint8]) { (reader) throws(OperatorError) in
            try MaxPool(&reader)
        },
        Entry("Mean", takes: .floats) { (reader) throws(OperatorError) in
            try Variadic(.add, divides: true, &reader)
        },
        Entry("MeanVarianceNormalization", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try MeanVarianceNormalization(&reader)
        },
        Entry("MelWeightMatrix", since: 17, takes: [.int32, .int64]) { (reader) throws(OperatorError) in
            try MelWeightMatrix(&reader)
        },
        Entry("Min", takes: .numbers) { (reader) throws(OperatorError) in try Variadic(.minimum, &reader) },
        Entry("Mish", since: 18, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.mish, &reader)
        },
        Entry("Mod", since: 10, takes: .numbers) { (reader) throws(OperatorError) in try Modulo(&reader) },
        Entry("Mul", takes: .numbers) { (reader) throws(OperatorError) in try Arithmetic(.multiply, &reader)
        },
        Entry("Neg", takes: .signed) { (reader) throws(OperatorError) in try Unary(.negate, &reader) },
        Entry("NonZero", since: 9, takes: .all) { (reader) throws(OperatorError) in try NonZero(&reader) },
        Entry("Not", takes: [.bool]) { (reader) throws(OperatorError) in try Not(&reader) },
        Entry("OneHot", since: 9, takes: .all) { (reader) throws(OperatorError) in try OneHot(&reader) },
        Entry("Optional", since: 15, takes: .everything) { (reader) throws(OperatorError) in
            try OptionalOperator(&reader)
        },
        Entry("OptionalGetElement", since: 15, takes: .everything) { (reader) throws(OperatorError) in
            try OptionalGetElement(&reader)
        },
        Entry("OptionalHasElement", since: 15, takes: .everything) { (reader) throws(OperatorError) in
            try OptionalHasElement(&reader)
        },
        Entry("Or", takes: [.bool]) { (reader) throws(OperatorError) in try Logical(.or, &reader) },
        Entry("PRelu", takes: .floats + [.int32, .int64]) { (reader) throws(OperatorError) in
            try PRelu(&reader)
        },
        Entry("Pad") { (reader) throws(OperatorError) in try Pad(&reader) },
        Entry("Pow", takes: .numbers) { (reader) throws(OperatorError) in try Power(&reader) },
        Entry("QLinearConv", since: 10, takes: [.int8, .uint8]) { (reader) throws(OperatorError) in
            try QLinearConv(&reader)
        },
        Entry("QLinearMatMul", since: 10, takes: [.int8, .uint8]) { (reader) throws(OperatorError) in
            try QLinearMatMul(&reader)
        },
        Entry("QuantizeLinear", since: 10, takes: [.float32, .float16, .bfloat16, .int32]) {
            (reader) throws(OperatorError) in try QuantizeLinear(&reader)
        },
        Entry("RMSNormalization", since: 23, takes: .floats) { (reader) throws(OperatorError) in
            try RMSNormalization(&reader)
        },
        Entry("RNN", takes: .floats) { (reader) throws(OperatorError) in
            try RNN(&reader)
        },
        Entry("Range", since: 11, takes: .floats + [.int32, .int64]) { (reader) throws(OperatorError) in
            try RangeOperator(&reader)
        },
        Entry("Reciprocal", takes: .floats) { (reader) throws(OperatorError) in
            try Unary(.reciprocal, &reader)
        },
        Entry("ReduceL1", takes: .numbers) { (reader) throws(OperatorError) in
            try ReduceRows(.sumOfMagnitudes, &reader)
        },
        Entry("ReduceL2", takes: .numbers) { (reader) throws(OperatorError) in
            try Reduce(.norm, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceLogSum", takes: .floats) { (reader) throws(OperatorError) in
            try ReduceRows(.logarithmOfSum, &reader)
        },
        Entry("ReduceLogSumExp", takes: .floats) { (reader) throws(OperatorError) in
            try ReduceRows(.logarithmOfSumOfExponentials, &reader)
        },
        Entry("ReduceMax", takes: .wide) { (reader) throws(OperatorError) in
            try Reduce(.maximum, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceMean", takes: .numbers) { (reader) throws(OperatorError) in
            try Reduce(.mean, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceMin", takes: .wide) { (reader) throws(OperatorError) in
            try Reduce(.minimum, axesAreInputSince: 18, &reader)
        },
        Entry("ReduceProd", takes: .numbers) { (reader) throws(OperatorError) in
            try ReduceRows(.product, &reader)
        },
        Entry("ReduceSum", takes: .numbers) { (reader) throws(OperatorError) in
            try Reduce(.sum, axesAreInputSince: 13, &reader)
        },
        Entry("ReduceSumSquare", takes: .numbers) { (reader) throws(OperatorError) in
            try Reduce(.sumOfSquares, axesAreInputSince: 18, &reader)
        },
        Entry("Relu", takes: .signed) { (reader) throws(OperatorError) in try Unary(.relu, &reader) },
        Entry("Reshape") { (reader) throws(OperatorError) in try Reshape(&reader) },
        Entry("ReverseSequence", since: 10) { (reader) throws(OperatorError) in try ReverseSequence(&reader)
        },
        Entry("RotaryEmbedding", since: 23, takes: .floats) { (reader) throws(OperatorError) in
            try RotaryEmbedding(&reader)
        },
        Entry("Round", since: 11, takes: .floats) { (reader) throws(OperatorError) in
            try Unary(.round, &reader)
        },
        Entry("STFT", since: 17, takes: .floats) { (reader) throws(OperatorError) in try STFT(&reader) },
        Entry("Scan", since: 8, as: Scan.self) { (reader) throws(OperatorError) in
            if reader.opset < 9 { return try BatchedScan(&reader) }
            return try Scan(&reader)
        },
        Entry("Scatter", since: 9, takes: .all) { (reader) throws(OperatorError) in
            try Scatter(elements: &reader)
        },
        Entry("ScatterElements", since: 11, takes: .all) { (reader) throws(OperatorError) in
            try Scatter(elements: &reader)
        },
        Entry("ScatterND", since: 11, takes: .all) { (reader) throws(OperatorError) in
            try Scatter(slices: &reader)
        },
        Entry("Selu", takes: .floats) { (reader) throws(OperatorError) in try ScalarFunction(selu: &reader) },
        Entry("SequenceAt", since: 11) { (reader) throws(OperatorError) in try SequenceAt(&reader) },
        Entry("SequenceConstruct", since: 11) { (reader) throws(OperatorError) in
            try SequenceConstruct(&reader)
        },
        Entry("SequenceEmpty", since: 11, takes: .everything) { (reader) throws(OperatorError) in
            try SequenceEmpty(&reader)
        },
        Entry("SequenceErase", since: 11) { (reader) throws(OperatorError) in try SequenceErase(&reader) },
        Entry("SequenceInsert", since: 11) { (reader) throws(OperatorError) in try SequenceInsert(&reader) },
        Entry("SequenceLength", since: 11) { (reader) throws(OperatorError) in try SequenceLength(&reader) },
        Entry("SequenceMap", since: 17) { (reader) throws(OperatorError) in try SequenceMap(&reader) },
        Entry("Shape") { (reader) throws(OperatorError) in try ShapeOperator(&reader) },
        Entry("Shrink", since: 9, takes: .numbers) { (reader) throws(OperatorError) in
            try ScalarFunction(shrink: &reader)
        },
        Entry("Sigmoid", takes: .floats) { (reader) throws(OperatorError) in try Unary(.sigmoid, &reader) },
        Entry("Sign", since: 9, takes: .numbers) { (reader) throws(OperatorError) in try Unary(.sign, &reader)
        },
        Entry("Sin", since: 7, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.sin, &reader)
        },
        Entry("Sinh", since: 9, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.sinh, &reader)
        },
        Entry("Size") { (reader) throws(OperatorError) in try Size(&reader) },
        Entry("Slice") { (reader) throws(OperatorError) in try Slice(&reader) },
        Entry("Softmax", takes: .floats) { (reader) throws(OperatorError) in
            try SoftmaxOperator(logarithm: false, &reader)
        },
        Entry("Softplus", takes: .floats) { (reader) throws(OperatorError) in try Unary(.softplus, &reader) },
        Entry("Softsign", takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.softsign, &reader)
        },
        Entry("SpaceToDepth") { (reader) throws(OperatorError) in try DepthSpace(toSpace: false, &reader) },
        Entry("Split") { (reader) throws(OperatorError) in try Split(&reader) },
        Entry("SplitToSequence", since: 11) { (reader) throws(OperatorError) in
            try SplitToSequence(&reader)
        },
        Entry("Sqrt", takes: .floats) { (reader) throws(OperatorError) in try Unary(.squareRoot, &reader) },
        Entry("Squeeze") { (reader) throws(OperatorError) in try Squeeze(&reader) },
        Entry("StringConcat", since: 20, takes: .strings) { (reader) throws(OperatorError) in
            try StringConcat(&reader)
        },
        Entry("StringNormalizer", since: 10, takes: .strings) { (reader) throws(OperatorError) in
            try StringNormalizer(&reader)
        },
        Entry("StringSplit", since: 20, takes: .strings) { (reader) throws(OperatorError) in
            try StringSplit(&reader)
        },
        Entry("Sub", takes: .numbers) { (reader) throws(OperatorError) in try Arithmetic(.subtract, &reader)
        },
        Entry("Sum", takes: .numbers) { (reader) throws(OperatorError) in try Variadic(.add, &reader) },
        Entry("Swish", since: 24, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(swish: &reader)
        },
        Entry("Tan", since: 7, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(.tan, &reader)
        },
        Entry("Tanh", takes: .floats) { (reader) throws(OperatorError) in try Unary(.tanh, &reader) },
        Entry("TensorScatter", since: 24) { (reader) throws(OperatorError) in try TensorScatter(&reader) },
        Entry("ThresholdedRelu", since: 10, takes: .floats) { (reader) throws(OperatorError) in
            try ScalarFunction(thresholdedRelu: &reader)
        },
        Entry("Tile") { (reader) throws(OperatorError) in try Tile(&reader) },
        Entry("TopK", takes: .numbers) { (reader) throws(OperatorError) in try TopK(&reader) },
        Entry("Transpose") { (reader) throws(OperatorError) in try TransposeOperator(&reader) },
        Entry("Trilu", since: 14) { (reader) throws(OperatorError) in try Trilu(&reader) },
        Entry("Unique", since: 11, takes: .numbers) { (reader) throws(OperatorError) in try Unique(&reader) },
        Entry("Unsqueeze") { (reader) throws(OperatorError) in try Unsqueeze(&reader) },
        Entry("Where", since: 9) { (reader) throws(OperatorError) in try Where(&reader) },
        Entry("Xor", takes: [.bool]) { (reader) throws(OperatorError) in try Logical(.xor, &reader) },
    ]
}
