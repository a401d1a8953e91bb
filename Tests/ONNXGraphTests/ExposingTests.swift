import TensorCore
import Testing

@testable import ONNXGraph

@Suite struct ExposingTests {
    /// The path into the body of the only node with a name, from a graph.
    private func body(_ names: [String], in model: Model) throws -> NodePath {
        var path = NodePath.root
        for name in names {
            let nodes = try model.graph(at: path).nodes
            let index = try #require(nodes.firstIndex { $0.name == name })
            path = path.appending(nodes[index], at: index).entering("body")
        }
        return path
    }

    @Test func `a value of the model's own graph is visible already`() throws {
        let model = try Samples.model("vowels-bnlstm/inference")
        let exposed = try model.exposing("h_final", in: .root)
        #expect(exposed.model == model)
        #expect(exposed.value == "h_final")
    }

    @Test func `a value of a body becomes one more scan output`() throws {
        let model = try Samples.model("vowels-bnlstm/inference")
        let path = try body(["lstm_scan"], in: model)
        let (changed, value) = try model.exposing("t.add_6", in: path)
        try changed.validate()
        let scan = try #require(changed.graph.nodes.first { $0.name == "lstm_scan" })
        #expect(scan.outputs == ["h_final", "c_final", value])
        let graph = try changed.graph(at: path)
        #expect(graph.outputs.map(\.name) == ["h_next", "c_next", "t.add_6"])
        #expect(model.graph.allValueNames.contains(value) == false)
    }

    @Test func `a value two loops deep goes outward level by level`() throws {
        let model = try Samples.model("nested-scan/inference")
        let path = try body(["outer_scan", "inner_scan"], in: model)
        #expect(path.description == "outer_scan/body/inner_scan/body")
        let (changed, value) = try model.exposing("t.add_4", in: path)
        try changed.validate()
        let outer = try #require(changed.graph.nodes.first { $0.name == "outer_scan" })
        #expect(outer.outputs.last == value)
        #expect(outer.outputs.count == 3)
        let inner = try #require(
            changed.graph(at: body(["outer_scan"], in: changed)).nodes.first { $0.name == "inner_scan" }
        )
        #expect(inner.outputs.count == 2)
    }

    @Test func `a value that is an output or an input of the body is put out as a copy`() throws {
        let model = try Samples.model("vowels-bnlstm/inference")
        let path = try body(["lstm_scan"], in: model)
        for name in ["h_next", "x_t"] {
            let (changed, _) = try model.exposing(name, in: path)
            try changed.validate()
            let last = try #require(changed.graph(at: path).nodes.last)
            #expect(last.operatorType == "Identity" && last.inputs == [name])
        }
    }

    @Test func `two values can be exposed one after the other`() throws {
        let model = try Samples.model("vowels-bnlstm/inference")
        let path = try body(["lstm_scan"], in: model)
        let first = try model.exposing("t.add_6", in: path)
        let second = try first.model.exposing("t.add_6", in: path)
        try second.model.validate()
        #expect(first.value != second.value)
    }

    @Test func `axes and directions of scan outputs get one more entry`() throws {
        var model = try Samples.model("vowels-bnlstm/inference")
        let path = try body(["lstm_scan"], in: model)
        let index = path.steps[0].index
        model.graph.nodes[index].attributes.append(Attribute("scan_input_directions", .ints([1, 1, 1])))
        let iteration = try model.exposing("t.add_6", in: path).model.graph.nodes[index]
        #expect(iteration.attribute("scan_output_directions") == nil)
        let position = try model.exposing("t.add_6", in: path, order: .position).model.graph.nodes[index]
        #expect(position.attribute("scan_output_directions") == .ints([1]))
        model.graph.nodes[index].attributes.append(Attribute("scan_output_axes", .ints([])))
        let axes = try model.exposing("t.add_6", in: path).model.graph.nodes[index]
        #expect(axes.attribute("scan_output_axes") == .ints([0]))
    }

    @Test func `what cannot be exposed is an error`() throws {
        let model = try Samples.model("vowels-bnlstm/inference")
        let path = try body(["lstm_scan"], in: model)
        #expect(throws: ModelError.unknownValue("nothing", graph: path)) {
            try model.exposing("nothing", in: path)
        }
        let wrong = NodePath.root.appending(Samples.relu("a", "b", name: "r"), at: 0).entering("body")
        #expect(throws: ModelError.unknownPath(wrong)) { try model.exposing("x", in: wrong) }
        let branches = Samples.nested(depth: 1)
        let branch = NodePath.root.appending(branches.graph.nodes[0], at: 0).entering("then_branch")
        #expect(throws: ModelError.notExposable(operatorType: "If", at: branch)) {
            try branches.exposing("v0", in: branch)
        }
    }

    @Test func `an output is added once and only for a value that exists`() throws {
        var model = try Samples.model("vowels-cnn/inference")
        try model.addOutput("pooled")
        try model.addOutput("pooled")
        try model.validate()
        #expect(model.graph.outputs.map(\.name) == ["predictions", "pooled"])
        #expect(throws: ModelError.unknownValue("nothing", graph: .root)) { try model.addOutput("nothing") }
    }
}
