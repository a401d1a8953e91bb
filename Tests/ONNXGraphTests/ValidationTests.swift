import TensorCore
import Testing

@testable import ONNXGraph

@Suite struct ValidationTests {
    private func expect(_ error: ModelError, _ model: Model) {
        #expect(throws: error) { try model.validate() }
        #expect(!error.description.isEmpty)
    }

    private func path(_ label: String, _ index: Int) -> NodePath {
        .root.appending(Node("Relu", name: label, inputs: [], outputs: []), at: index)
    }

    @Test(arguments: Samples.referenceModels)
    func `the reference models are valid`(name: String) throws {
        try Samples.model(name).validate()
    }

    @Test func `versions outside the range are refused`() throws {
        let relu = [Samples.relu("x", "y")]
        for version: Int64 in [0, 2, 15, .max, .min] {
            expect(
                .unsupportedIRVersion(version, supported: Model.supportedIRVersions),
                Samples.model(relu, irVersion: version)
            )
        }
        for opset in [0, 5, 29] {
            expect(
                .unsupportedOpset(Int64(opset), supported: Model.supportedOpsets),
                Samples.model(relu, opset: opset)
            )
        }
        try Samples.model(relu, irVersion: 3, opset: 6).validate()
        try Samples.model(relu, irVersion: 14, opset: 28).validate()
    }

    @Test func `operator sets are imported once and before they are used`() {
        var model = Samples.model([Samples.relu("x", "y")])
        model.proto.opsetImport.append(model.proto.opsetImport[0])
        model.proto.opsetImport[1].domain = "ai.onnx"
        expect(.duplicateOpsetImport(domain: ""), model)
        model.proto.opsetImport = []
        expect(.missingOpsetImport(domain: "", at: path("Relu#0", 0)), model)
        let foreign = Node("Gelu", domain: "com.microsoft", inputs: ["x"], outputs: ["y"])
        expect(
            .missingOpsetImport(domain: "com.microsoft", at: .root.appending(foreign, at: 0)),
            Samples.model([foreign])
        )
    }

    @Test func `a model without a graph is refused`() {
        var model = Samples.model([Samples.relu("x", "y")])
        model.proto.clearGraph()
        expect(.missingGraph, model)
    }

    @Test func `every value is made once and before it is read`() {
        expect(
            .undefinedValue("z", at: path("Relu#0", 0)),
            Samples.model([Samples.relu("z", "y")])
        )
        expect(
            .usedBeforeMade("b", at: path("first", 0), madeBy: path("second", 1)),
            Samples.model([Samples.relu("b", "a", name: "first"), Samples.relu("a", "b", name: "second")])
        )
        expect(
            .usedBeforeMade("y", at: path("self", 0), madeBy: path("self", 0)),
            Samples.model([Samples.relu("y", "y", name: "self")])
        )
        expect(
            .duplicateValue("y", at: path("Relu#1", 1)),
            Samples.model([Samples.relu("x", "y"), Samples.relu("x", "y")])
        )
        expect(.duplicateValue("x", at: path("Relu#0", 0)), Samples.model([Samples.relu("x", "x")]))
        expect(.undefinedOutput("y", graph: .root), Samples.model([Samples.relu("x", "z")]))
    }

    @Test func `inputs, outputs and initializers have names, each once`() {
        let relu = [Samples.relu("x", "y")]
        var model = Samples.model(relu)
        model.graph.inputs.append(model.graph.inputs[0])
        expect(.duplicateValue("x", at: .root), model)
        model = Samples.model(relu)
        model.graph.outputs.append(model.graph.outputs[0])
        expect(.duplicateValue("y", at: .root), model)
        model = Samples.model(relu)
        model.graph.inputs[0].name = ""
        expect(.missingValueName(graph: .root), model)
        let w = Initializer("w", Tensor(scalar: Float(1)))
        expect(.duplicateInitializer("w", graph: .root), Samples.model(relu, initializers: [w, w]))
        expect(
            .missingValueName(graph: .root),
            Samples.model(relu, initializers: [Initializer("", Tensor(scalar: Float(1)))])
        )
    }

    @Test func `an initializer must be an input in IR version 3 and need not be one later`() throws {
        let nodes = [Node("Add", inputs: ["x", "w"], outputs: ["y"])]
        let w = Initializer("w", Tensor(scalar: Float(1)))
        try Samples.model(nodes, initializers: [w], irVersion: 4).validate()
        var model = Samples.model(nodes, initializers: [w], irVersion: 3)
        expect(.initializerIsNoInput("w", graph: .root), model)
        model.graph.inputs.append(ValueInfo("w", elementType: .float32, dimensions: []))
        try model.validate()
        #expect(model.graph.requiredInputs.map(\.name) == ["x"])
    }

    @Test func `a subgraph sees the values before its node and no others`() throws {
        func body(_ input: String, _ output: String) -> Attribute {
            Attribute(
                "body",
                .graph(
                    Graph(
                        name: "body",
                        nodes: [Samples.relu(input, output, name: "inner")],
                        outputs: [ValueInfo(output, elementType: .float32, dimensions: nil)]
                    )
                )
            )
        }
        func model(_ input: String, _ output: String) -> Model {
            Samples.model([
                Samples.relu("x", "early"),
                Node(
                    "Loop",
                    name: "loop",
                    inputs: ["", ""],
                    outputs: ["made"],
                    attributes: [body(input, output)]
                ),
                Samples.relu("made", "y", name: "late"),
            ])
        }
        try model("early", "inside").validate()
        let loop = NodePath.root.appending(Node("Loop", name: "loop", inputs: [], outputs: []), at: 1)
        let inner = loop.entering("body").appending(Samples.relu("", "", name: "inner"), at: 0)
        #expect(inner.description == "loop/body/inner")
        expect(.usedBeforeMade("y", at: inner, madeBy: path("late", 2)), model("y", "inside"))
        expect(.usedBeforeMade("made", at: inner, madeBy: loop), model("made", "inside"))
        expect(.undefinedValue("nothing", at: inner), model("nothing", "inside"))
        expect(.duplicateValue("early", at: inner), model("early", "early"))
        // A value of the body is not seen outside.
        expect(
            .undefinedValue("inside", at: path("outside", 1)),
            Samples.model([
                Node("Loop", name: "loop", inputs: [], outputs: ["l"], attributes: [body("x", "inside")]),
                Samples.relu("inside", "y", name: "outside"),
            ])
        )
        // Two bodies may use the same names.
        try Samples.model([
            Node("Loop", inputs: [], outputs: ["l"], attributes: [body("x", "inside")]),
            Node("Loop", inputs: [], outputs: ["y"], attributes: [body("l", "inside")]),
        ]).validate()
    }

    @Test func `subgraphs are nested no deeper than the limit`() throws {
        let limit = ModelLimits.standard.nestingDepth
        let deepest = Samples.nested(depth: limit)
        try deepest.validate()
        #expect(try Model(serialized: deepest.serialized()) == deepest)
        #expect {
            try Samples.nested(depth: limit + 1).validate()
        } throws: { error in
            guard case ModelError.nestedTooDeep(_, limit) = error else { return false }
            return true
        }
        let farTooDeep = try Samples.nested(depth: 300).serialized()
        #expect(throws: ModelError.undecodable(.nestedTooDeep)) { try Model(serialized: farTooDeep) }
    }

    @Test func `attributes hold what they declare`() {
        func expect(_ fault: AttributeFault, name: String = "a", _ change: (inout ProtoAttribute) -> Void) {
            var model = Samples.model([Samples.relu("x", "y")])
            var attribute = ProtoAttribute()
            attribute.name = "a"
            change(&attribute)
            model.proto.graph.node[0].attribute = [attribute]
            self.expect(.invalidAttribute(name, at: path("Relu#0", 0), fault), model)
        }
        expect(.missingName, name: "") { $0.clearName() }
        expect(.missingType) { $0.i = 1 }
        expect(.unknownType(99)) { $0.type = 99 }
        expect(.typeMismatch(declared: "INT")) {
            $0.type = 2
            $0.f = 1
        }
        expect(.typeMismatch(declared: "INTS")) {
            $0.type = 7
            $0.ints = [1]
            $0.i = 1
        }
        expect(.typeMismatch(declared: "TENSOR")) { $0.type = 4 }
        expect(.typeMismatch(declared: "GRAPH")) { $0.type = 5 }
        expect(.referenceOutsideFunction) {
            $0.type = 2
            $0.refAttrName = "b"
        }
    }

    @Test func `an attribute stands once`() {
        let twice = [Attribute("axis", .int(0)), Attribute("axis", .int(1))]
        expect(
            .invalidAttribute("axis", at: path("Relu#0", 0), .duplicate),
            Samples.model([Node("Relu", inputs: ["x"], outputs: ["y"], attributes: twice)])
        )
    }

    @Test func `values of attributes are read as they were written`() {
        let tensor = Initializer("t", Tensor(scalar: Int64(3)))
        let graph = Samples.model([Samples.relu("x", "y")]).graph
        let values: [Attribute.Value] = [
            .float(1.5), .int(-1), .string("é"), .tensor(tensor), .graph(graph), .floats([1, 2]), .ints([]),
            .strings(["a", ""]), .tensors([tensor]), .graphs([graph]),
        ]
        for value in values { #expect(Attribute("a", value).value == value) }
    }

    @Test func `a sparse initializer is refused by name`() {
        var model = Samples.model([Samples.relu("x", "y")])
        model.proto.graph.sparseInitializer = [ProtoSparseTensor()]
        expect(.unsupportedFeature("a sparse initializer", at: .root), model)
    }
}
