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
            since opset: Int = 7,
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
    public static var supported: [(name: String, opsets: ClosedRange<Int>)] {
        entries.map { ($0.name, $0.opsets) }
    }

    static func entry(_ name: String, opset: Int) -> Entry? {
        byName[name].flatMap { $0.opsets.contains(opset) ? $0 : nil }
    }

    private static let byName = Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }

    static let entries: [Entry] = [
        Entry("Abs") { (reader) throws(OperatorError) in try Unary(.absolute, &reader) },
        Entry("Add") { (reader) throws(OperatorError) in try Arithmetic(.add, &reader) },
        Entry("And") { (reader) throws(OperatorError) in try Logical(.and, &reader) },
        Entry("BatchNormalization") { (reader) throws(OperatorError) in try BatchNormalization(&reader) },
        Entry("Cast") { (reader) throws(OperatorError) in try Cast(&reader) },
        Entry("CastLike", since: 15) { (reader) throws(OperatorError) in try Cast(like: &reader) },
        Entry("Ceil") { (reader) throws(OperatorError) in try Unary(.ceiling, &reader) },
        Entry("Clip") { (reader) throws(OperatorError) in try Clip(&reader) },
        Entry("Concat") { (reader) throws(OperatorError) in try Concat(&reader) },
        Entry("Constant") { (reader) throws(OperatorError) in try Constant(&reader) },
        Entry("ConstantOfShape", since: 9) { (reader) throws(OperatorError) in try ConstantOfShape(&reader) },
        Entry("Conv") { (reader) throws(OperatorError) in try Conv(&reader) },
        Entry("Div") { (reader) throws(OperatorError) in try Arithmetic(.divide, &reader) },
        Entry("Dropout") { (reader) throws(OperatorError) in try Dropout(&reader) },
        Entry("Equal") { (reader) throws(OperatorError) in try Comparison(.equal, &reader) },
        Entry("Erf", since: 9) { (reader) throws(OperatorError) in try Unary(.erf, &reader) },
        Entry("Exp") { (reader) throws(OperatorError) in try Unary(.exp, &reader) },
        Entry("Expand", since: 8) { (reader) throws(OperatorError) in try Expand(&reader) },
        Entry("Flatten") { (reader) throws(OperatorError) in try Flatten(&reader) },
        Entry("Floor") { (reader) throws(OperatorError) in try Unary(.floor, &reader) },
        Entry("Gather") { (reader) throws(OperatorError) in try GatherOperator(&reader) },
        Entry("Gelu", since: 20) { (reader) throws(OperatorError) in try Unary(gelu: &reader) },
        Entry("Gemm") { (reader) throws(OperatorError) in try Gemm(&reader) },
        Entry("Greater") { (reader) throws(OperatorError) in try Comparison(.greater, &reader) },
        Entry("GreaterOrEqual", since: 12) { (reader) throws(OperatorError) in
            try Comparison(.greaterOrEqual, &reader)
        },
        Entry("Identity") { (reader) throws(OperatorError) in try Identity(&reader) },
        Entry("If") { (reader) throws(OperatorError) in try If(&reader) },
        Entry("LayerNormalization", since: 17) { (reader) throws(OperatorError) in
            try LayerNormalizationOperator(&reader)
        },
        Entry("Less") { (reader) throws(OperatorError) in try Comparison(.less, &reader) },
        Entry("LessOrEqual", since: 12) { (reader) throws(OperatorError) in
            try Comparison(.lessOrEqual, &reader)
        },
        Entry("Log") { (reader) throws(OperatorError) in try Unary(.log, &reader) },
        Entry("LogSoftmax") { (reader) throws(OperatorError) in try SoftmaxOperator(logarithm: true, &reader)
        },
        Entry("Loop") { (reader) throws(OperatorError) in try Loop(&reader) },
        Entry("MatMul") { (reader) throws(OperatorError) in try MatMul(&reader) },
        Entry("Max") { (reader) throws(OperatorError) in try Variadic(.maximum, &reader) },
        Entry("Mean", since: 8) { (reader) throws(OperatorError) in try Variadic(.add, divides: true, &reader)
        },
        Entry("Min") { (reader) throws(OperatorError) in try Variadic(.minimum, &reader) },
        Entry("Mul") { (reader) throws(OperatorError) in try Arithmetic(.multiply, &reader) },
        Entry("Neg") { (reader) throws(OperatorError) in try Unary(.negate, &reader) },
        Entry("Not") { (reader) throws(OperatorError) in try Not(&reader) },
        Entry("Or") { (reader) throws(OperatorError) in try Logical(.or, &reader) },
        Entry("Pow") { (reader) throws(OperatorError) in try Power(&reader) },
        Entry("Range", since: 11) { (reader) throws(OperatorError) in try RangeOperator(&reader) },
        Entry("Reciprocal") { (reader) throws(OperatorError) in try Unary(.reciprocal, &reader) },
        Entry("ReduceL2") { (reader) throws(OperatorError) in
            try Reduce(.norm, axesAreInputSince: 18, &reader)
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
        Entry("ReduceSum") { (reader) throws(OperatorError) in
            try Reduce(.sum, axesAreInputSince: 13, &reader)
        },
        Entry("ReduceSumSquare") { (reader) throws(OperatorError) in
            try Reduce(.sumOfSquares, axesAreInputSince: 18, &reader)
        },
        Entry("Relu") { (reader) throws(OperatorError) in try Unary(.relu, &reader) },
        Entry("Reshape") { (reader) throws(OperatorError) in try Reshape(&reader) },
        Entry("Scan", since: 9) { (reader) throws(OperatorError) in try Scan(&reader) },
        Entry("Shape") { (reader) throws(OperatorError) in try ShapeOperator(&reader) },
        Entry("Sigmoid") { (reader) throws(OperatorError) in try Unary(.sigmoid, &reader) },
        Entry("Sign", since: 9) { (reader) throws(OperatorError) in try Unary(.sign, &reader) },
        Entry("Size") { (reader) throws(OperatorError) in try Size(&reader) },
        Entry("Slice") { (reader) throws(OperatorError) in try Slice(&reader) },
        Entry("Softmax") { (reader) throws(OperatorError) in try SoftmaxOperator(logarithm: false, &reader) },
        Entry("Softplus") { (reader) throws(OperatorError) in try Unary(.softplus, &reader) },
        Entry("Split") { (reader) throws(OperatorError) in try Split(&reader) },
        Entry("Sqrt") { (reader) throws(OperatorError) in try Unary(.squareRoot, &reader) },
        Entry("Squeeze") { (reader) throws(OperatorError) in try Squeeze(&reader) },
        Entry("Sub") { (reader) throws(OperatorError) in try Arithmetic(.subtract, &reader) },
        Entry("Sum", since: 8) { (reader) throws(OperatorError) in try Variadic(.add, &reader) },
        Entry("Tanh") { (reader) throws(OperatorError) in try Unary(.tanh, &reader) },
        Entry("Transpose") { (reader) throws(OperatorError) in try TransposeOperator(&reader) },
        Entry("Unsqueeze") { (reader) throws(OperatorError) in try Unsqueeze(&reader) },
        Entry("Where", since: 9) { (reader) throws(OperatorError) in try Where(&reader) },
        Entry("Xor") { (reader) throws(OperatorError) in try Logical(.xor, &reader) },
    ]
}
