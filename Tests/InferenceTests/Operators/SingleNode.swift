import ONNXGraph
import TensorCore

@testable import Inference

/// One node, run on tensors.
struct SingleNode {
    let type: String
    let opset: Int
    let domain: String
    let attributes: [String: Attribute.Value]

    /// A node of the newest opset unless another is said.
    init(
        _ type: String,
        opset: Int = OperatorRegistry.newestOpset,
        domain: String = "",
        _ attributes: [String: Attribute.Value] = [:]
    ) {
        self.type = type
        self.opset = opset
        self.domain = domain
        self.attributes = attributes
    }

    /// The outputs; a nil input is absent, and so is an output whose flag is false.
    func run(_ inputs: [Tensor?], outputs: [Bool] = [true]) throws -> [Tensor] {
        var given: [String: Tensor] = [:]
        var names: [String] = []
        var infos: [ValueInfo] = []
        for (index, tensor) in inputs.enumerated() {
            names.append(tensor == nil ? "" : "x\(index)")
            guard let tensor else { continue }
            given["x\(index)"] = tensor
            infos.append(ValueInfo("x\(index)", elementType: tensor.elementType, dimensions: nil))
        }
        let results = outputs.enumerated().map { $1 ? "y\($0)" : "" }
        let node = Node(
            type,
            name: "node",
            domain: domain,
            inputs: names,
            outputs: results,
            attributes: attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
        )
        let graph = Graph(
            name: "one",
            nodes: [node],
            initializers: [],
            inputs: infos,
            outputs: results.filter { !$0.isEmpty }.map {
                ValueInfo($0, elementType: .float32, dimensions: nil)
            }
        )
        var imports = ["": opset]
        if !domain.isEmpty { imports[domain] = 1 }
        return try ExecutionPlan(Model(graph: graph, opsetImports: imports)).run(given)
    }

    /// The rule that loading or running breaks, or nil if there is none.
    func failure(_ inputs: [Tensor?], outputs: [Bool] = [true]) throws -> OperatorError? {
        do {
            _ = try run(inputs, outputs: outputs)
            return nil
        } catch PlanError.invalidNode(_, _, let reason) {
            return reason
        } catch ExecutionError.node(_, _, let reason) {
            return reason
        }
    }
}

extension Tensor {
    /// float32 numbers in a range around 0 that a generator gives.
    static func random(_ dimensions: [Int], _ random: inout some RandomNumberGenerator) throws -> Tensor {
        Tensor(of: Float.self, shape: try Shape(checking: dimensions)) { elements in
            for index in elements.indices { elements[index] = Float.random(in: -2...2, using: &random) }
        }
    }

    /// The same float32 numbers as float64.
    var widened: Tensor {
        let values = array(of: Float.self)
        return Tensor(of: Double.self, shape: shape) { elements in
            for index in elements.indices { elements[index] = Double(values[index]) }
        }
    }
}
