import Foundation
import TensorCore
import Testing

@testable import ONNXGraph

/// Functions that a model defines for itself: what is a valid one, and the graph without them.
@Suite struct FunctionTests {
    static let domain = "pkg.test"

    static func function(
        _ name: String,
        inputs: [String] = ["a"],
        outputs: [String] = ["b"],
        attributes: [String] = [],
        defaults: [Attribute] = [],
        imports: [String: Int64] = ["": 17, domain: 1],
        _ nodes: [Node]
    ) -> ProtoFunction {
        var function = ProtoFunction()
        function.name = name
        function.domain = domain
        function.input = inputs
        function.output = outputs
        function.attribute = attributes
        function.attributeProto = defaults.map(\.proto)
        function.node = nodes.map(\.proto)
        function.opsetImport = imports.sorted { $0.key < $1.key }.map { domain, version in
            var entry = ProtoOperatorSet()
            entry.domain = domain
            entry.version = version
            return entry
        }
        return function
    }

    static func call(
        _ function: String,
        name: String = "",
        inputs: [String] = ["x"],
        outputs: [String] = ["y"],
        _ attributes: [Attribute] = []
    ) -> Node {
        Node(
            function,
            name: name,
            domain: domain,
            inputs: inputs,
            outputs: outputs,
            attributes: attributes
        )
    }

    static func model(_ nodes: [Node], _ functions: [ProtoFunction]) -> Model {
        var model = Samples.model(nodes)
        model.opsetImports[domain] = 1
        model.proto.functions = functions
        return model
    }

    /// An attribute of a function's node that refers to one of the function.
    static func reference(_ name: String, to target: String, type: AttributeType) -> Attribute {
        var attribute = Attribute(name, .int(0))
        attribute.proto.clearI()
        attribute.proto.type = type.rawValue
        attribute.proto.refAttrName = target
        return attribute
    }

    private func expect(_ error: ModelError, _ model: Model) {
        #expect(throws: error) { try model.validate() }
        #expect(throws: error) { try model.inliningFunctions() }
        #expect(!error.description.isEmpty)
    }

    private func path(_ label: String, _ index: Int = 0) -> NodePath {
        .root.appending(Node("Relu", name: label, inputs: [], outputs: []), at: index)
    }

    /// `b = relu(relu(a))`.
    private let twice = function("Twice", [Samples.relu("a", "t"), Samples.relu("t", "b", name: "last")])

    @Test func `a call becomes the nodes of its function, named after the call`() throws {
        let model = Self.model([Self.call("Twice", name: "call")], [twice])
        try model.validate()
        let inlined = try model.inliningFunctions()
        try inlined.validate()
        #expect(!inlined.hasFunctions)
        #expect(inlined.graph.nodes.map(\.name) == ["call/Relu#0", "call/last"])
        #expect(inlined.graph.nodes.map(\.inputs) == [["x"], ["call/t"]])
        #expect(inlined.graph.nodes.map(\.outputs) == [["call/t"], ["y"]])
    }

    @Test func `a model without functions is left as it is`() throws {
        let model = Samples.model([Samples.relu("x", "y")])
        #expect(try model.inliningFunctions() == model)
    }

    @Test func `a model with functions is written as it was read`() throws {
        let model = Self.model([Self.call("Twice")], [twice])
        #expect(try Model(serialized: model.serialized()) == model)
    }

    @Test func `calls of one function do not share values, nor do they take the graph's`() throws {
        let model = Self.model(
            [
                Samples.relu("x", "call/t"),
                Self.call("Twice", name: "call", inputs: ["call/t"], outputs: ["m"]),
                Self.call("Twice", name: "call", inputs: ["m"]),
            ],
            [twice]
        )
        let inlined = try model.inliningFunctions()
        try inlined.validate()
        #expect(
            inlined.graph.nodes.flatMap(\.outputs) == ["call/t", "call/t.2", "m", "call/t.3", "y"]
        )
    }

    @Test func `functions may call functions, also from subgraphs`() throws {
        let branch = Graph(
            name: "branch",
            nodes: [Self.call("Twice", name: "inner", inputs: ["a"], outputs: ["v"])],
            outputs: [ValueInfo("v", elementType: .float32, dimensions: nil)]
        )
        let outer = Self.function(
            "Outer",
            [
                Node("Constant", inputs: [], outputs: ["c"], attributes: [Attribute("value_int", .int(1))]),
                Node("Cast", inputs: ["c"], outputs: ["flag"], attributes: [Attribute("to", .int(9))]),
                Node(
                    "If",
                    name: "if",
                    inputs: ["flag"],
                    outputs: ["b"],
                    attributes: [
                        Attribute("then_branch", .graph(branch)), Attribute("else_branch", .graph(branch)),
                    ]
                ),
            ]
        )
        let model = Self.model([Self.call("Outer", name: "call")], [outer, twice])
        try model.validate()
        let inlined = try model.inliningFunctions()
        try inlined.validate()
        let last = try #require(inlined.graph.nodes.last)
        #expect(last.name == "call/if")
        for (_, graph) in last.subgraphs {
            #expect(graph.nodes.map(\.name) == ["inner/Relu#0", "inner/last"])
            #expect(graph.nodes.first?.inputs == ["x"])
            #expect(graph.nodes.last?.outputs == graph.outputs.map(\.name))
        }
    }

    @Test func `an attribute of the call is put in, else the default, else nothing`() throws {
        let leaky = Self.function(
            "Leaky",
            attributes: ["slope"],
            defaults: [Attribute("axis", .int(7))],
            [
                Node(
                    "LeakyRelu",
                    inputs: ["a"],
                    outputs: ["t"],
                    attributes: [Self.reference("alpha", to: "slope", type: .float)]
                ),
                Node(
                    "Softmax",
                    inputs: ["t"],
                    outputs: ["b"],
                    attributes: [Self.reference("axis", to: "axis", type: .int)]
                ),
            ]
        )
        func values(_ attributes: [Attribute]) throws -> [Attribute.Value?] {
            let model = Self.model([Self.call("Leaky", attributes)], [leaky])
            try model.validate()
            let nodes = try model.inliningFunctions().graph.nodes
            return [nodes[0].attribute("alpha"), nodes[1].attribute("axis")]
        }
        #expect(try values([]) == [nil, .int(7)])
        #expect(try values([Attribute("slope", .float(0.5))]) == [.float(0.5), .int(7)])
        #expect(try values([Attribute("axis", .int(1))]) == [nil, .int(1)])
        let wrong = Self.model([Self.call("Leaky", name: "call", [Attribute("slope", .int(1))])], [leaky])
        #expect(
            throws: ModelError.invalidAttribute(
                "slope",
                at: path("call"),
                .typeMismatch(declared: "FLOAT")
            )
        ) { try wrong.inliningFunctions() }
        expect(
            .invalidAttribute("unread", at: path("call"), .unknownToFunction),
            Self.model([Self.call("Leaky", name: "call", [Attribute("unread", .int(1))])], [leaky])
        )
    }

    @Test func `inputs that a call leaves out are left out in the function`() throws {
        let clip = Self.function(
            "MyClip",
            inputs: ["a", "low", "high"],
            [Node("Clip", inputs: ["a", "low", "high"], outputs: ["b"])]
        )
        let short = try Self.model([Self.call("MyClip")], [clip]).inliningFunctions()
        #expect(short.graph.nodes[0].inputs == ["x", "", ""])
        let gap = try Self.model([Self.call("MyClip", inputs: ["x", "", "x"])], [clip]).inliningFunctions()
        #expect(gap.graph.nodes[0].inputs == ["x", "", "x"])
    }

    @Test func `an input that is an output is copied`() throws {
        let same = Self.function("Same", inputs: ["a"], outputs: ["a"], [])
        let inlined = try Self.model([Self.call("Same", name: "call")], [same]).inliningFunctions()
        try inlined.validate()
        #expect(inlined.graph.nodes.map(\.operatorType) == ["Identity"])
        #expect(inlined.graph.nodes.map(\.inputs) == [["x"]])
    }

    @Test func `a node keeps the version of the operator set that its function imports`() throws {
        let old = Self.function("Old", imports: ["": 12, "com.example": 3], [Samples.relu("a", "b")])
        let inlined = try Self.model([Self.call("Old")], [old]).inliningFunctions()
        #expect(inlined.graph.nodes.map(\.opset) == [12])
        #expect(inlined.opsetImports[""] == 17)
        let same = try Self.model([Self.call("Twice")], [twice]).inliningFunctions()
        #expect(same.graph.nodes.map(\.opset) == [nil, nil])
    }

    @Test func `a function that calls itself by any way is refused`() {
        expect(
            .recursiveFunction("pkg.test.Self"),
            Self.model(
                [Self.call("Self")],
                [Self.function("Self", [Self.call("Self", inputs: ["a"], outputs: ["b"])])]
            )
        )
        let ping = Self.function("Ping", [Self.call("Pong", inputs: ["a"], outputs: ["b"])])
        let pong = Self.function("Pong", [Self.call("Ping", inputs: ["a"], outputs: ["b"])])
        expect(.recursiveFunction("pkg.test.Ping"), Self.model([Self.call("Ping")], [ping, pong]))
    }

    /// Functions of which each calls the one before it `width` times in a row.
    private func tower(_ height: Int, width: Int) -> Model {
        var functions = [Self.function("F0", [Samples.relu("a", "b")])]
        for level in 1..<height {
            let nodes = (0..<width).map { index in
                Self.call(
                    "F\(level - 1)",
                    inputs: [index == 0 ? "a" : "v\(index - 1)"],
                    outputs: [index == width - 1 ? "b" : "v\(index)"]
                )
            }
            functions.append(Self.function("F\(level)", nodes))
        }
        return Self.model([Self.call("F\(height - 1)")], functions)
    }

    @Test func `calls are nested no deeper than the limit`() throws {
        let limit = ModelLimits.standard.functionDepth
        try #expect(tower(limit, width: 1).inliningFunctions().graph.nodeCount == 1)
        #expect {
            try tower(limit + 1, width: 1).validate()
        } throws: { error in
            guard case ModelError.functionsNestedTooDeep(_, limit: limit) = error else { return false }
            return true
        }
        #expect(throws: ModelError.self) { try tower(5000, width: 1).validate() }
    }

    @Test func `a small file cannot become an endless graph`() throws {
        let model = tower(ModelLimits.standard.functionDepth, width: 4)
        try model.validate()
        #expect {
            try model.inliningFunctions()
        } throws: { error in
            guard case ModelError.inlinedTooLarge = error else { return false }
            return true
        }
    }

    @Test func `functions are named, once each, and valid as graphs`() {
        var nameless = twice
        nameless.name = ""
        expect(.missingFunctionName(index: 0), Self.model([Samples.relu("x", "y")], [nameless]))
        expect(.duplicateFunction("pkg.test.Twice"), Self.model([Self.call("Twice")], [twice, twice]))
        let place = path("function pkg.test.Bad")
        let inner = place.appending(Samples.relu("", ""), at: 0)
        func bad(_ function: ProtoFunction) -> Model { Self.model([Samples.relu("x", "y")], [function]) }
        expect(.undefinedValue("z", at: inner), bad(Self.function("Bad", [Samples.relu("z", "b")])))
        expect(.undefinedOutput("b", graph: place), bad(Self.function("Bad", [Samples.relu("a", "c")])))
        expect(
            .missingOpsetImport(domain: "", at: inner),
            bad(Self.function("Bad", imports: [Self.domain: 1], [Samples.relu("a", "b")]))
        )
        expect(
            .unsupportedOpset(99, supported: Model.supportedOpsets),
            bad(Self.function("Bad", imports: ["": 99], [Samples.relu("a", "b")]))
        )
        let stray = Node(
            "Relu",
            inputs: ["a"],
            outputs: ["b"],
            attributes: [Self.reference("axis", to: "nothing", type: .int)]
        )
        expect(
            .invalidAttribute("axis", at: inner, .unknownReference("nothing")),
            bad(Self.function("Bad", [stray]))
        )
    }

    @Test func `a call with more inputs or outputs than its function has is refused`() {
        let error = ModelError.functionSignature(
            function: "pkg.test.Twice",
            inputs: 1,
            outputs: 1,
            at: path("call")
        )
        expect(error, Self.model([Self.call("Twice", name: "call", inputs: ["x", "x"])], [twice]))
        expect(error, Self.model([Self.call("Twice", name: "call", outputs: ["y", "z"])], [twice]))
    }
}
