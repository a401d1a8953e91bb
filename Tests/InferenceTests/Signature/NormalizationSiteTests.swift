import Inference
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@Suite struct NormalizationSiteTests {
    private func sites(_ name: String) throws -> [NormalizationSite] {
        try NormalizationSite.sites(in: Model(contentsOf: Fixtures.reference("models/\(name).onnx")))
    }

    @Test func `chains of a convolutional model are named by their labels`() throws {
        let sites = try sites("vowels-cnn/inference")
        #expect(sites.map(\.name) == ["block1.bn", "block2.bn", "block3.bn"])
        #expect(sites.map(\.output) == ["t.add_1", "t.add_3", "t.add_5"])
        for site in sites {
            #expect(site.channels == 64)
            #expect(site.channelAxis == -2)
            #expect(site.steps == nil)
            #expect(site.kind == .affineChain)
            #expect(!site.holdsDeviation)
            #expect(abs(site.epsilon - 1e-5) < 1e-9)
            #expect(site.mean == "\(site.name).mean.population")
            #expect(site.variance == "\(site.name).var.population")
            #expect(site.scale == "\(site.name).weight")
            #expect(site.bias == "\(site.name).bias")
        }
        #expect(try self.sites("peptide-bytenet/inference").count == 4)
    }

    @Test func `statistics per step are found inside of a loop`() throws {
        let sites = try sites("vowels-bnlstm/inference")
        #expect(sites.map(\.name) == ["lstm.bn_x", "lstm.bn_h", "lstm.bn_c"])
        #expect(sites.map(\.output) == ["t.mul", "t.mul_1", "t.add_6"])
        #expect(sites.map(\.channels) == [256, 256, 64])
        #expect(sites.map(\.bias) == [nil, nil, "lstm.bn_c.beta"])
        for site in sites {
            #expect(site.steps == 26)
            #expect(site.channelAxis == -1)
            #expect(site.path.graph.description == "lstm_scan/body")
            #expect(site.isNested)
        }
    }

    @Test func `statistics per step and per inner step are found two loops deep`() throws {
        let sites = try sites("nested-scan/inference")
        #expect(sites.map(\.stepCounts) == [[], [5, 7], [5], []])
        #expect(sites.map(\.path.depth) == [0, 2, 1, 0])
        #expect(sites.map(\.channels) == [3, 4, 5, 5])
        #expect(sites[1].name == "outer_scan/body/inner_scan/body/add_4")
    }

    @Test(arguments: ["eval-legacy-unfolded", "eval-legacy-nomask", "eval-dynamo-unoptimized"])
    func `nodes in evaluation mode are found`(name: String) throws {
        let sites = try sites("vowels-plain-bn/\(name)")
        #expect(sites.count == 3)
        for site in sites {
            #expect(site.kind == .batchNormalization)
            #expect(site.channels == 64)
            #expect(site.channelAxis == 1)
        }
    }

    @Test(arguments: [
        "vowels-plain-bn/eval-legacy", "vowels-plain-bn/eval-dynamo", "vowels-plain-bn/train-legacy",
        "vowels-cnn/train", "peptide-bytenet/train", "vowels-bnlstm/train", "nested-scan/nested-scan",
    ])
    func `where nothing is frozen, or it is folded away, nothing is found`(name: String) throws {
        #expect(try sites(name) == [])
    }

    @Test func `names stay different where places share their statistics`() throws {
        let statistics = ["s", "b", "m", "v"].map {
            Initializer($0, Tensor(repeating: Float(1), shape: [2]))
        }
        func node(_ input: String, _ output: String) -> Node {
            Node(
                "BatchNormalization",
                name: "bn",
                inputs: [input, "s", "b", "m", "v"],
                outputs: [output]
            )
        }
        let graph = Graph(
            name: "g",
            nodes: [node("x", "a"), node("a", "y")],
            initializers: statistics,
            inputs: [ValueInfo("x", elementType: .float32, dimensions: nil)],
            outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
        )
        let sites = NormalizationSite.sites(in: Model(graph: graph, opsetImports: ["": 17]))
        #expect(sites.map(\.name) == ["bn", "bn#2"])
    }

    @Test func `a division by a constant deviation is a site`() throws {
        let constants = ["m", "d", "w"].map {
            Initializer($0, Tensor(repeating: Float(2), shape: [1, 3, 1]))
        }
        let nodes = [
            Node("Sub", inputs: ["x", "m"], outputs: ["c"]), Node("Div", inputs: ["c", "d"], outputs: ["n"]),
            Node("Mul", inputs: ["w", "n"], outputs: ["y"]),
        ]
        let graph = Graph(
            name: "g",
            nodes: nodes,
            initializers: constants,
            inputs: [ValueInfo("x", elementType: .float32, dimensions: nil)],
            outputs: [ValueInfo("y", elementType: .float32, dimensions: nil)]
        )
        let sites = NormalizationSite.sites(in: Model(graph: graph, opsetImports: ["": 17]))
        #expect(sites.count == 1)
        #expect(sites.first?.holdsDeviation == true)
        #expect(sites.first?.output == "y")
        #expect(sites.first?.scale == "w")
    }

    @Test func `a chain of ten thousand copies does not exhaust the stack`() {
        var nodes = [Node("Sub", inputs: ["x", "i0"], outputs: ["c"])]
        for index in 0..<10_000 {
            nodes.append(Node("Identity", inputs: ["i\(index + 1)"], outputs: ["i\(index)"]))
        }
        nodes.append(Node("Div", inputs: ["c", "i0"], outputs: ["y"]))
        let graph = Graph(name: "g", nodes: nodes, outputs: [])
        #expect(NormalizationSite.sites(in: Model(graph: graph, opsetImports: ["": 17])) == [])
    }
}
