import Foundation
import Inference

@testable import ONNXGraph

/// What all cases of the suite gave; they run once.
struct ConformanceRun {
    struct Outcome: Sendable {
        let name: String
        /// Why the case fails, or nil if it passes.
        let failure: String?
        /// The operators of the model, each once.
        let operators: Set<String>
    }

    let outcomes: [Outcome]

    /// The run, or the error that the suite is not there.
    static let shared = Result { try ConformanceRun() }

    private init() throws {
        outcomes = try ConformanceCase.all().map { item in
            do {
                let model = try Model(contentsOf: item.folder.appendingPathComponent("model.onnx"))
                let operators = Self.operators(of: model.graph)
                return Outcome(name: item.name, failure: item.failure(of: model), operators: operators)
            } catch {
                return Outcome(name: item.name, failure: "\(error)", operators: [])
            }
        }
    }

    private static func operators(of graph: Graph) -> Set<String> {
        var names: Set<String> = []
        for node in graph.nodes {
            names.insert(node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)")
            for (_, subgraph) in node.subgraphs { names.formUnion(operators(of: subgraph)) }
        }
        return names
    }

    /// Operators, in how many cases that use them the engine is right, and in how many not; then all cases.
    var table: String {
        var passed: [String: Int] = [:]
        var skipped: [String: Int] = [:]
        for outcome in outcomes {
            for name in outcome.operators {
                if outcome.failure == nil {
                    passed[name, default: 0] += 1
                } else {
                    skipped[name, default: 0] += 1
                }
            }
        }
        var rows = Set(passed.keys).union(skipped.keys).sorted().map {
            ($0, passed[$0] ?? 0, skipped[$0] ?? 0)
        }
        let right = outcomes.count { $0.failure == nil }
        rows.append(("cases in all", right, outcomes.count - right))
        return rows.map { name, passed, skipped in
            name.padding(toLength: 40, withPad: " ", startingAt: 0)
                + String(format: "%6d passed %6d skipped", passed, skipped)
        }
        .joined(separator: "\n")
    }
}
