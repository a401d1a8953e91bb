import Freezing
import Inference
import ONNXGraph
import Statistics
import TensorCore
import TestSupport
import Testing

struct LabelTests {
    private let options = FreezeOptions(estimator: .meanOfBatches)

    private func batches() throws -> [TrainingBatch] {
        try [Samples.batch([4, 2], seed: 1), Samples.batch([3, 2], seed: 2)]
    }

    @Test func `freezing twice is freezing once`() throws {
        let frozen = try Samples.freeze(try Samples.plain(), try batches(), options)
        #expect(throws: FreezeError.noStatistics) { try FreezePlan(frozen.model) }
        #expect(FreezeError.noStatistics.description.contains("bn_statistic"))
        #expect(frozen.model.graph.nodes.map(\.operatorType) == ["Sub", "Add", "Sqrt", "Div"])
        #expect(frozen.model.metadata["bn_population"]?.contains("bn.mean.population") ?? false)
        #expect(frozen.model.metadata[Provenance.key] == frozen.provenance.json)
    }

    @Test func `node labels, model labels, names and patterns find the same`() throws {
        let first = try Samples.freeze(try Samples.plain(), try batches(), options)
        var listed = try Samples.plain(label: nil)
        listed.metadata["bn_statistics"] = """
            [{"tensor": "y_mean", "label": "bn.mean", "graph": []}, {"tensor": "y_var", "label": "bn.var", "graph": []}]
            """
        var named = options
        named.statistics = ["y_m.*n", "y_var"]
        for (model, options, origin) in [
            (listed, options, BatchStatisticSite.Origin.modelLabel),
            (try Samples.plain(label: nil), named, .commandLine),
            (try Samples.plain(label: nil), options, .pattern),
        ] {
            let frozen = try Samples.freeze(model, try batches(), options)
            #expect(frozen.sites.first?.origin == origin)
            let means = frozen.statistics.compactMap { $0.mean ?? $0.variance }
            #expect(means.first == first.statistics[0].mean)
            let input = try Samples.batch([1, 2], seed: 7).inputs
            #expect(try ExecutionPlan(frozen.model).run(input) == ExecutionPlan(first.model).run(input))
        }
    }

    @Test func `a statistic may be an output of the graph`() throws {
        let model = try Samples.plain(outputs: ["y", "y_mean"])
        let frozen = try Samples.freeze(model, try batches(), options)
        let outputs = try ExecutionPlan(frozen.model).run(try Samples.batch([1, 2], seed: 7).inputs)
        #expect(outputs[1] == frozen.statistics[0].mean)
    }

    @Test func `deeper statistics are those of the training forward`() throws {
        let nodes =
            Samples.normalization(of: "x", to: "y", label: "a") + [
                Node("Mul", inputs: ["y", "y"], outputs: ["squares"])
            ] + Samples.normalization(of: "squares", to: "z", label: "b")
        let model = try Samples.model(nodes, inputs: [("x", Samples.matrix)], outputs: ["z"])
        let frozen = try Samples.freeze(model, try batches(), options)
        // The square of what a batch's own statistics normalized has the mean 1, up to epsilon.
        #expect(try #require(frozen.statistics[1].mean).doubles.allSatisfy { ($0 - 1).magnitude < 1e-3 })
    }

    @Test func `pooled statistics are those of all rows at once`() throws {
        let all = try batches()
        let frozen = try Samples.freeze(try Samples.plain(), all)
        #expect(frozen.statistics[0].estimator == .pooled)
        let rows = all.flatMap { $0.inputs["x"]?.doubles ?? [] }
        for channel in 0..<2 {
            let values = stride(from: channel, to: rows.count, by: 2).map { rows[$0] }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            #expect((try #require(frozen.statistics[0].mean).doubles[channel] - mean).magnitude < 1e-6)
            #expect(
                (try #require(frozen.statistics[0].variance).doubles[channel] - variance).magnitude < 1e-6
            )
        }
    }

    @Test func `labels that name nothing, or twice, are refused by name`() throws {
        var missing = try Samples.plain(label: nil)
        missing.metadata["bn_statistics"] = #"[{"tensor": "nowhere", "label": "bn.mean", "graph": []}]"#
        #expect(throws: FreezeError.missingTensor("nowhere", label: "bn.mean", graph: [])) {
            try FreezePlan(missing)
        }
        missing.metadata["bn_statistics"] = #"[{"tensor": "y_mean", "label": "bn.mean", "graph": ["loop"]}]"#
        #expect(throws: FreezeError.missingGraph(["loop"], label: "bn.mean")) { try FreezePlan(missing) }
        missing.metadata["bn_statistics"] = "[1]"
        #expect(throws: FreezeError.malformedLabels) { try FreezePlan(missing) }
        #expect(throws: FreezeError.unmatchedStatistic("q.*")) {
            try FreezePlan(Samples.plain(), options: FreezeOptions(statistics: ["q.*"]))
        }
        #expect(throws: FreezeError.invalidPattern("(")) {
            try FreezePlan(Samples.plain(), options: FreezeOptions(statistics: ["("]))
        }
        let twice = try Samples.model(
            Samples.normalization(of: "x", to: "y", label: "bn")
                + Samples.normalization(of: "y", to: "z", label: "bn"),
            inputs: [("x", Samples.matrix)],
            outputs: ["z"]
        )
        #expect(
            throws: FreezeError.duplicateLabel("bn.mean", first: "y_mean", second: "z_mean", graph: .root)
        ) {
            try FreezePlan(twice)
        }
        var conflict = try Samples.plain()
        conflict.metadata["bn_statistics"] = #"[{"tensor": "y_mean", "label": "other", "graph": []}]"#
        #expect(throws: FreezeError.conflictingLabels(tensor: "y_mean", first: "bn.mean", second: "other")) {
            try FreezePlan(conflict)
        }
    }

    @Test func `a label whose shape depends on the batch is refused`() throws {
        var model = try Samples.plain(label: nil)
        model.metadata["bn_statistics"] = #"[{"tensor": "y_difference", "label": "odd", "graph": []}]"#
        #expect(throws: FreezeError.shapeDependsOnBatch(label: "odd", shape: [4, 2])) {
            try Samples.freeze(model, [Samples.batch([4, 2], seed: 1)], options)
        }
    }

    @Test func `counts that are not known are asked for by name`() throws {
        var model = try Samples.plain(label: nil)
        model.metadata["bn_statistics"] = #"[{"tensor": "y_radicand", "label": "odd", "graph": []}]"#
        #expect(throws: FreezeError.noCounts(label: "odd", estimator: .pooled)) {
            try FreezePlan(model, options: FreezeOptions(estimator: .pooled, findsPatterns: false))
        }
    }

    @Test func `what is left over is named in a warning`() throws {
        let model = try Samples.model(
            Samples.normalization(of: "x", to: "y", label: "bn") + [
                Samples.reduceMean("y", to: "pooled"), Node("Sub", inputs: ["y", "pooled"], outputs: ["z"]),
            ],
            inputs: [("x", Samples.matrix)],
            outputs: ["z"]
        )
        let plan = try FreezePlan(model, options: options)
        #expect(plan.warnings.count == 1)
        #expect(plan.warnings.first?.contains("node_pooled") ?? false)
        #expect(try FreezePlan(Samples.plain()).warnings.isEmpty)
    }

    @Test func `a reduction over the steps of a loop is no batch statistic`() throws {
        var graph = try Samples.scanned().graph
        graph.nodes += [Samples.reduceMean("all", to: "overSteps")]
        graph.outputs = [ValueInfo("overSteps", elementType: .float32, dimensions: nil)]
        let model = Model(graph: graph, opsetImports: ["": 17])
        #expect(try FreezePlan(model, options: options).warnings.isEmpty)
    }

    @Test func `nothing but the statistics changes`() throws {
        var model = try Samples.plain()
        var graph = model.graph
        graph.nodes += [Node("Neg", name: "dead before", inputs: ["y"], outputs: ["unread"])]
        graph.initializers += [Initializer("unread too", Tensor(scalar: Float(1)))]
        model.graph = graph
        model.metadata["author"] = "somebody"
        let frozen = try Samples.freeze(model, try batches(), options).model
        #expect(frozen.graph.nodes.map(\.name).contains("dead before"))
        #expect(frozen.graph.initializers.map(\.name).contains("unread too"))
        #expect(frozen.metadata["author"] == "somebody")
        #expect(frozen.opsetImports == model.opsetImports)
    }
}
