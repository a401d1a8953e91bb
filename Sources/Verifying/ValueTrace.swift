import Inference
import ONNXGraph
import TensorCore

/// Runs a model as it is written, and keeps what every node of its own graph gives.
struct ValueTrace {
    /// A node that computes something of an output.
    struct Place {
        let path: NodePath
        let operatorType: String
        /// The names of the values it gives.
        let values: [String]
        /// The names of the values it reads.
        let inputs: Set<String>
    }

    let places: [Place]
    let outputNames: [String]
    private let plan: ExecutionPlan
    /// The layout of the signature's inputs.
    let inputs: PaddedInputs

    /// Plans a model without joining any nodes.
    ///
    /// - Throws: Why it cannot be planned.
    init(_ model: SequenceModel) throws(PlanError) {
        let graph = model.model.graph
        let read = ReadNames.ofNodes(graph)
        let places = zip(graph.nodes.indices, graph.nodes).map { index, node in
            Place(
                path: NodePath.root.appending(node, at: index),
                operatorType: node.operatorType,
                values: node.outputs.filter { !$0.isEmpty },
                inputs: read[index]
            )
        }
        self.places = places
        let outputs = model.signature.outputs.map(\.name)
        outputNames = outputs
        let names = outputs + places.flatMap(\.values).filter { !outputs.contains($0) }
        // Values that are no tensors cannot be outputs; then only the outputs are looked at.
        if let all = try? ExecutionPlan(model.model, outputs: names, rewriting: false), Self.runs(all, model)
        {
            plan = all
        } else {
            plan = try ExecutionPlan(model.model, outputs: outputs, rewriting: false)
        }
        inputs = PaddedInputs(signature: model.signature, inputNames: plan.inputNames)
    }

    private static func runs(_ plan: ExecutionPlan, _ model: SequenceModel) -> Bool {
        let probes = ProbeSequences(signature: model.signature)
        let layout = PaddedInputs(signature: model.signature, inputNames: plan.inputNames)
        for length in LengthProbe.firstLengths {
            guard let batch = probes.batch(lengths: [length]), let inputs = try? layout.inputs(batch) else {
                continue
            }
            do throws(ExecutionError) {
                _ = try plan.run(inputs)
                return true
            } catch .missingOutput {
                return false
            } catch .outputIsNoTensor {
                return false
            } catch {
                continue
            }
        }
        return true
    }

    /// The values by name.
    func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        let values = try plan.run(inputs)
        return Dictionary(zip(plan.outputNames, values), uniquingKeysWith: { first, _ in first })
    }

    /// Compares the values of a sequence alone with those of a run in which it is the first.
    func compare(_ alone: [String: Tensor], _ together: [String: Tensor], tolerance: Double) -> Dependence? {
        var worst: (name: String, difference: Double)?
        var leaking: Set<String> = []
        for name in outputNames {
            guard let a = alone[name], let b = together[name] else { continue }
            let difference = Correspondence.difference(a, b) ?? .infinity
            guard difference > tolerance else { continue }
            leaking.insert(name)
            if difference > worst?.difference ?? 0 { worst = (name, difference) }
        }
        guard let worst else { return nil }
        var origin: (place: Place, difference: Double)?
        // From the last node to the first, so that the first one that differs is what remains.
        var needed = leaking
        for place in places.reversed() where !needed.isDisjoint(with: place.values) {
            needed.formUnion(place.inputs)
            for name in place.values {
                guard let a = alone[name], let b = together[name], a.elementType.isFloatingPoint,
                    let difference = Correspondence.difference(a, b), difference > tolerance
                else { continue }
                origin = (place, difference)
            }
        }
        return Dependence(
            output: worst.name,
            difference: worst.difference,
            path: origin?.place.path,
            operatorType: origin?.place.operatorType,
            differenceAtNode: origin?.difference
        )
    }
}

/// That an answer depends on what it should not.
struct Dependence {
    /// The output that differs most.
    let output: String
    /// By how much, in parts of its largest magnitude.
    let difference: Double
    /// The first node whose values differ, of those that the outputs need.
    let path: NodePath?
    let operatorType: String?
    let differenceAtNode: Double?
}

extension ElementType {
    fileprivate var isFloatingPoint: Bool { self == .float32 || self == .float64 }
}

/// The names that nodes read, those that their subgraphs capture included.
enum ReadNames {
    static func ofNodes(_ graph: Graph) -> [Set<String>] { graph.nodes.map { names(of: $0, depth: 0) } }

    private static func names(of node: Node, depth: Int) -> Set<String> {
        var names = Set(node.inputs.filter { !$0.isEmpty })
        guard depth < 32 else { return names }
        for attribute in node.attributes {
            guard case .graph(let body) = attribute.value else { continue }
            var inner = Set(body.outputs.map(\.name))
            var made = Set(body.inputs.map(\.name)).union(body.initializers.map(\.name))
            for node in body.nodes {
                inner.formUnion(self.names(of: node, depth: depth + 1))
                made.formUnion(node.outputs)
            }
            names.formUnion(inner.subtracting(made))
        }
        return names
    }
}
