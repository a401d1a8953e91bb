import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

struct UnfrozenStatisticTests {
    private func model(_ name: String) throws -> Model {
        try Model(contentsOf: Fixtures.reference("models/\(name).onnx"))
    }

    @Test(arguments: [
        ("vowels-cnn/train", "node.block1.bn.mean", "block1.bn.mean"),
        ("peptide-bytenet/train", "node.block1.bn.mean", "block1.bn.mean"),
        ("vowels-bnlstm/train", "lstm_scan/body/node.lstm.bn_x/current_mean", "lstm.bn_x.mean"),
        ("vowels-plain-bn/train-legacy", "/bns.0/BatchNormalization", nil),
    ])
    func `a model that computes statistics from the batch is not served`(
        _ name: String,
        _ path: String,
        _ label: String?
    ) throws {
        let model = try model(name)
        do {
            _ = try SequenceModel(model: model)
            Issue.record("no error")
        } catch {
            guard case .batchStatistics(let found, let stated) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(found.description == path)
            #expect(stated == label)
            #expect("\(error)".hasPrefix(path))
            #expect("\(error)".contains("not frozen") && "\(error)".contains("seqnorm freeze"))
        }
        _ = try ExecutionPlan(model)
    }

    @Test func `the first statistic of a nested loop's graph is named`() throws {
        let found = try UnfrozenStatistic.first(in: model("nested-scan/nested-scan"))
        #expect(found?.label == "input.bn.mean")
    }

    @Test(arguments: [
        "vowels-cnn/inference", "peptide-bytenet/inference", "vowels-bnlstm/inference",
        "nested-scan/inference", "vowels-plain-bn/eval-legacy-unfolded", "vowels-plain-bn/eval-dynamo",
    ])
    func `frozen models have none`(_ name: String) throws {
        #expect(try UnfrozenStatistic.first(in: model(name)) == nil)
    }

    @Test func `the model's own list of labels is enough, at any depth`() throws {
        var model = try model("vowels-bnlstm/train")
        let scan = try #require(model.graph.nodes.firstIndex { $0.operatorType == "Scan" })
        guard case .graph(var body)? = model.graph.nodes[scan].attribute("body") else {
            Issue.record("no body")
            return
        }
        body.nodes = body.nodes.map { node in
            var node = node
            node.metadata = [:]
            return node
        }
        model.graph.nodes[scan].attributes = model.graph.nodes[scan].attributes.map {
            $0.name == "body" ? Attribute("body", .graph(body)) : $0
        }
        let found = try #require(UnfrozenStatistic.first(in: model))
        #expect(found.path.description == "lstm_scan/body/node.lstm.bn_x/current_mean")
        #expect(found.label == "lstm.bn_x.mean")
        model.metadata = [:]
        #expect(UnfrozenStatistic.first(in: model) == nil)
    }

    @Test func `a label that stayed on a constant is no statistic`() throws {
        var node = Node("Identity", inputs: ["mean.population"], outputs: ["mean"])
        node.metadata = ["bn_statistic": "bn.mean"]
        let graph = Graph(
            name: "frozen",
            nodes: [node],
            initializers: [Initializer("mean.population", try Tensor([Float(1), 2], shape: [2]))],
            outputs: [ValueInfo("mean", elementType: .float32, dimensions: [.fixed(2)])]
        )
        #expect(UnfrozenStatistic.first(in: Model(graph: graph, opsetImports: ["": 17])) == nil)
    }
}
