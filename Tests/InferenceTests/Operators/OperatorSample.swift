import ONNXGraph
import TensorCore
import TestSupport

@testable import Inference

/// A node of each operator on small inputs that it takes, for one element type after the other.
///
/// Inputs are written as `T[2,3]`, `int64[2]=0,1`, `T*` for a sequence of one tensor, and `-` for one that is absent;
/// `T` stands for the type in question.
struct OperatorSample {
    let name: String
    let inputs: String
    let attributes: [String: Attribute.Value]
    let outputCount: Int

    /// An attribute whose value is the number of the type in question.
    private static let ownCode = Attribute.Value.int(-1)
    /// An attribute whose value is a tensor of the type in question.
    private static let ownTensor = Attribute.Value.string("T")

    private init(
        _ name: String,
        _ inputs: String = "T[2,2]",
        _ attributes: [String: Attribute.Value] = [:],
        outputs: Int = 1
    ) {
        self.name = name
        self.inputs = inputs
        self.attributes = attributes
        outputCount = outputs
    }

    /// Operators whose values are those of their subgraphs.
    static let withSubgraphs: Set<String> = ["If", "Loop", "Scan", "SequenceMap"]

    /// The sample of an operator; a square matrix for those that are not listed.
    static func of(_ name: String) -> OperatorSample {
        if let sample = listed[name] { return sample }
        return OperatorSample(name, pairs.contains(name) ? "T[2,2] T[2,2]" : "T[2,2]")
    }

    private static let pairs: Set<String> = [
        "Add", "And", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "CastLike", "Equal", "Greater",
        "GreaterOrEqual", "Less", "LessOrEqual", "MatMul", "MatMulInteger", "Max", "Mean", "Min", "Mul",
        "Or", "PRelu", "Pow", "StringConcat", "Sub", "Sum", "Xor",
    ]

    private static let listed: [String: OperatorSample] = {
        let samples = [
            OperatorSample("Attention", "T[1,2,3,4] T[1,2,3,4] T[1,2,3,4]"),
            OperatorSample("AveragePool", "T[1,2,5]", ["kernel_shape": .ints([2])]),
            OperatorSample("BatchNormalization", "T[1,2,3] T[2] T[2] T[2] T[2]"),
            OperatorSample("BitCast", "T[2,2]", ["to": ownCode]),
            OperatorSample("BitShift", "T[2,2] T[2,2]", ["direction": .string("LEFT")]),
            OperatorSample("BlackmanWindow", "T[]=3"),
            OperatorSample("Cast", "T[2,2]", ["to": ownCode]),
            OperatorSample("CausalConvWithState", "T[1,2,5] T[2,1,3]"),
            OperatorSample("Clip", "T[2,2] T[]=0 T[]=1"),
            OperatorSample("Compress", "T[4] bool[4]"),
            OperatorSample("Concat", "T[2] T[2]", ["axis": .int(0)]),
            OperatorSample("ConcatFromSequence", "T*", ["axis": .int(0)]),
            OperatorSample("Constant", "", ["value": ownTensor]),
            OperatorSample("ConstantOfShape", "int64[1]=2", ["value": ownTensor]),
            OperatorSample("Conv", "T[1,2,5] T[3,2,2]"),
            OperatorSample("ConvInteger", "T[1,2,5] T[3,2,2]"),
            OperatorSample("ConvTranspose", "T[1,2,5] T[2,3,2]"),
            OperatorSample("CumProd", "T[4] int64[]=0"),
            OperatorSample("CumSum", "T[4] int64[]=0"),
            OperatorSample("DFT", "T[1,4,1]"),
            OperatorSample("DepthToSpace", "T[1,4,2,2]", ["blocksize": .int(2)]),
            OperatorSample("DequantizeLinear", "T[4] float32[]=1"),
            OperatorSample("Div", "T[2]=6,4 T[2]=3,2"),
            OperatorSample("Dropout", "T[2]", outputs: 2),
            OperatorSample("DynamicQuantizeLinear", "T[4]"),
            OperatorSample("Einsum", "T[2,2] T[2,2]", ["equation": .string("ij,jk->ik")]),
            OperatorSample("Expand", "T[1,2] int64[2]=2,2"),
            OperatorSample("GRU", "T[2,1,3] T[1,6,3] T[1,6,2]", ["hidden_size": .int(2)]),
            OperatorSample("Gather", "T[4] int64[2]=0,1"),
            OperatorSample("GatherElements", "T[4] int64[2]=0,1"),
            OperatorSample("GatherND", "T[4] int64[2,1]=0,1"),
            OperatorSample("Gemm", "T[2,2] T[2,2]"),
            OperatorSample("GlobalAveragePool", "T[1,2,3]"),
            OperatorSample("GlobalLpPool", "T[1,2,3]"),
            OperatorSample("GlobalMaxPool", "T[1,2,3]"),
            OperatorSample("GroupNormalization", "T[1,2,3] T[2] T[2]", ["num_groups": .int(1)]),
            OperatorSample("HammingWindow", "T[]=3"),
            OperatorSample("HannWindow", "T[]=3"),
            OperatorSample("InstanceNormalization", "T[1,2,3] T[2] T[2]"),
            OperatorSample("LRN", "T[1,2,3,3]", ["size": .int(3)]),
            OperatorSample("LSTM", "T[2,1,3] T[1,8,3] T[1,8,2]", ["hidden_size": .int(2)]),
            OperatorSample("LayerNormalization", "T[2,3] T[3]"),
            OperatorSample(
                "LinearAttention",
                "T[1,3,4] T[1,3,4] T[1,3,4]",
                ["q_num_heads": .int(2), "kv_num_heads": .int(2), "update_rule": .string("linear")]
            ),
            OperatorSample("LpPool", "T[1,2,5]", ["kernel_shape": .ints([2])]),
            OperatorSample("MaxPool", "T[1,2,5]", ["kernel_shape": .ints([2])]),
            OperatorSample("MeanVarianceNormalization", "T[1,2,2,2]"),
            OperatorSample("MelWeightMatrix", "T[]=4 T[]=16 T[]=100 float32[]=0 float32[]=40"),
            OperatorSample("Mod", "T[2]=7,4 T[2]=3,2", ["fmod": .int(1)]),
            OperatorSample("OneHot", "int64[2]=0,1 int64[]=3 T[2]"),
            OperatorSample("Pad", "T[2,2] int64[4]=0,1,0,1"),
            OperatorSample(
                "QLinearConv",
                "T[1,2,5] float32[]=1 T[]=0 T[3,2,2] float32[]=1 T[]=0 float32[]=1 T[]=0"
            ),
            OperatorSample(
                "QLinearMatMul",
                "T[2,2] float32[]=1 T[]=0 T[2,2] float32[]=1 T[]=0 float32[]=1 T[]=0"
            ),
            OperatorSample("QuantizeLinear", "T[4] float32[]=1"),
            OperatorSample("RMSNormalization", "T[2,3] T[3]"),
            OperatorSample("RNN", "T[2,1,3] T[1,2,3] T[1,2,2]", ["hidden_size": .int(2)]),
            OperatorSample("Range", "T[]=0 T[]=3 T[]=1"),
            OperatorSample("Reshape", "T[2,2] int64[1]=4"),
            OperatorSample("ReverseSequence", "T[2,2] int64[2]=1,2"),
            OperatorSample("RotaryEmbedding", "T[1,2,3,4] T[1,3,2] T[1,3,2]"),
            OperatorSample("STFT", "T[1,8,1] int64[]=2 - int64[]=4"),
            OperatorSample("Scatter", "T[4] int64[2]=0,1 T[2]"),
            OperatorSample("ScatterElements", "T[4] int64[2]=0,1 T[2]"),
            OperatorSample("ScatterND", "T[4] int64[2,1]=0,1 T[2]"),
            OperatorSample("SequenceAt", "T* int64[]=0"),
            OperatorSample("SequenceEmpty", "", ["dtype": ownCode]),
            OperatorSample("SequenceErase", "T* int64[]=0"),
            OperatorSample("SequenceInsert", "T* T[2]"),
            OperatorSample("SequenceLength", "T*"),
            OperatorSample("Slice", "T[4] int64[1]=0 int64[1]=2"),
            OperatorSample("SpaceToDepth", "T[1,1,2,2]", ["blocksize": .int(2)]),
            OperatorSample("Split", "T[4] int64[2]=2,2", outputs: 2),
            OperatorSample("Squeeze", "T[1,2]"),
            OperatorSample("StringNormalizer", "T[2]"),
            OperatorSample("StringSplit", "T[2]", outputs: 2),
            OperatorSample("TensorScatter", "T[1,4,2] T[1,2,2]"),
            OperatorSample("Tile", "T[2] int64[1]=2"),
            OperatorSample("TopK", "T[4] int64[1]=2", outputs: 2),
            OperatorSample("Unsqueeze", "T[2] int64[1]=0"),
            OperatorSample("Where", "bool[2] T[2] T[2]"),
        ]
        return Dictionary(uniqueKeysWithValues: samples.map { ($0.name, $0) })
    }()

    /// Loads and runs the node; nil stands for strings.
    ///
    /// - Returns: Whether the type is taken.
    /// - Throws: A failure that has nothing to do with the type.
    func takes(_ type: ElementType?) throws -> Bool {
        let words = inputs.split(separator: " ").map(String.init)
        var nodes: [Node] = []
        var given: [String: Value] = [:]
        var infos: [ValueInfo] = []
        var names: [String] = []
        for (index, word) in words.enumerated() {
            guard word != "-" else {
                names.append("")
                continue
            }
            let name = "x\(index)"
            names.append(name)
            let isSequence = word == "T*"
            let element = isSequence ? "element" : name
            let (own, shape, values) = try Self.parsed(isSequence ? "T[2]" : word, type)
            if let own {
                given[element] = .tensor(try Self.tensor(own, shape, values))
                infos.append(ValueInfo(element, elementType: own, dimensions: nil))
            } else {
                let count = Int64(shape.elementCount)
                nodes += [
                    Node(
                        "Constant",
                        inputs: [],
                        outputs: ["\(name)-flat"],
                        attributes: [
                            Attribute("value_strings", .strings((0..<count).map { "\(values[Int($0)])" }))
                        ]
                    ),
                    Node(
                        "Constant",
                        inputs: [],
                        outputs: ["\(name)-shape"],
                        attributes: [Attribute("value_ints", .ints(shape.dimensions.map(Int64.init)))]
                    ),
                    Node("Reshape", inputs: ["\(name)-flat", "\(name)-shape"], outputs: [element]),
                ]
            }
            if isSequence { nodes.append(Node("SequenceConstruct", inputs: [element], outputs: [name])) }
        }
        let attributes = try attributes.sorted { $0.key < $1.key }.map { key, value in
            switch value {
            case Self.ownCode: return Attribute(key, .int(type?.onnxCode ?? 8))
            case Self.ownTensor:
                guard let type else { return Attribute("value_strings", .strings(["a"])) }
                return Attribute(key, .tensor(Initializer("", try Self.tensor(type, [1], [1]))))
            default: return Attribute(key, value)
            }
        }
        let outputs = (0..<outputCount).map { "y\($0)" }
        nodes.append(Node(name, name: "node", inputs: names, outputs: outputs, attributes: attributes))
        let graph = Graph(
            name: "one",
            nodes: nodes,
            initializers: [],
            inputs: infos,
            outputs: outputs.map { ValueInfo($0, elementType: .float32, dimensions: nil) }
        )
        do {
            let opset = OperatorRegistry.newestOpset
            _ = try ExecutionPlan(Model(graph: graph, opsetImports: ["": opset])).run(values: given)
            return true
        } catch PlanError.invalidNode(_, _, let reason) where reason.isAboutTypes(type) {
            return false
        } catch ExecutionError.node(_, _, let reason) where reason.isAboutTypes(type) {
            return false
        }
    }

    /// The type, nil for strings, the shape and the numbers of an input.
    private static func parsed(
        _ word: String,
        _ type: ElementType?
    ) throws -> (ElementType?, Shape, [Int64]) {
        let sides = word.split(separator: "=", maxSplits: 1)
        let parts = sides[0].split(separator: "[", maxSplits: 1)
        let dimensions = parts[1].dropLast().split(separator: ",").compactMap { Int($0) }
        let shape = try Shape(checking: dimensions)
        let written = sides.count > 1 ? sides[1].split(separator: ",").compactMap { Int64($0) } : []
        let values =
            written.count == shape.elementCount
            ? written : (0..<shape.elementCount).map { Int64($0 % 2) }
        return (parts[0] == "T" ? type : ElementType(rawValue: String(parts[0])), shape, values)
    }

    private static func tensor(_ type: ElementType, _ shape: Shape, _ values: [Int64]) throws -> Tensor {
        let numbers = try Tensor(values, shape: shape)
        return try SingleNode("Cast", ["to": .int(type.onnxCode)]).run([numbers])[0]
    }
}

extension OperatorError {
    /// Whether the rule is one of element types or of kinds of values; strings are often told by what is missing.
    fileprivate func isAboutTypes(_ type: ElementType?) -> Bool {
        switch self {
        case .unsupportedElementType, .elementTypesDiffer, .inputKind: true
        case .missingInput, .attributeValue, .unknownAttribute: type == nil
        default: false
        }
    }
}
