public import FoundationEssentials
public import ONNXGraph
import TensorCore

extension ModelSummary {
    /// Gathers what there is to know of a model.
    ///
    /// - Parameters:
    ///   - model: A valid model.
    ///   - digest: The digest of its file.
    ///   - document: The content of the `model.json` beside it; nil if there is none.
    /// - Complexity: O(size of the model).
    public init(of model: Model, digest: String, document: Data? = nil) {
        let model = (try? model.inliningFunctions()) ?? model
        let found = NormalizationSite.sites(in: model)
        let statistics = Set(found.flatMap { [$0.mean, $0.variance] })
        var count = GraphCount(statistics: statistics)
        count.add(model.graph)

        self.digest = digest
        irVersion = model.irVersion
        opset = model.opsetImports[""]
        producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
        parameters = count.parameters
        operators = count.operators.sorted { $0.key < $1.key }.map {
            OperatorCount(name: $0.key, count: $0.value)
        }
        sites = found.map { Site($0, count.constants) }
        do {
            signature = try Signature(inferring: model, document: document)
        } catch {
            signatureFault = error.description
        }
    }
}

extension ModelSummary.Site {
    fileprivate init(_ site: NormalizationSite, _ constants: [String: Initializer]) {
        func range(_ name: String) -> [Float]? {
            guard let initializer = constants[name], initializer.elementType == .float32,
                let values = try? initializer.tensor().array(of: Float.self),
                let least = values.min(), let greatest = values.max(), values.allSatisfy(\.isFinite)
            else { return nil }
            return [least, greatest]
        }
        self.init(
            name: site.name,
            path: site.path.description,
            kind: site.kind,
            channels: site.channels,
            shape: constants[site.mean]?.dimensions ?? [],
            steps: site.stepCounts,
            meanRange: range(site.mean),
            varianceRange: site.holdsDeviation ? nil : range(site.variance)
        )
    }
}

/// Counts over a graph and its subgraphs.
private struct GraphCount {
    let statistics: Set<String>
    var operators: [String: Int] = [:]
    var parameters = 0
    /// The constants by name; of a name in several graphs, the first.
    var constants: [String: Initializer] = [:]

    init(statistics: Set<String>) { self.statistics = statistics }

    mutating func add(_ graph: Graph) {
        for initializer in graph.initializers { add(initializer) }
        for node in graph.nodes {
            operators[
                node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)",
                default: 0
            ] += 1
            for attribute in node.attributes {
                switch attribute.value {
                case .graph(let subgraph): add(subgraph)
                case .tensor(var tensor) where node.operatorType == "Constant":
                    tensor.name = node.outputs.first ?? ""
                    add(tensor)
                default: break
                }
            }
        }
    }

    private mutating func add(_ initializer: Initializer) {
        if constants[initializer.name] == nil { constants[initializer.name] = initializer }
        switch initializer.elementType {
        case .float32, .float64, .float16, .bfloat16: break
        default: return
        }
        guard !initializer.dimensions.isEmpty, !statistics.contains(initializer.name),
            let shape = try? Shape(checking: initializer.dimensions)
        else { return }
        parameters = parameters.addingReportingOverflow(shape.elementCount).partialValue
    }
}
