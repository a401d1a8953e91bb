import Foundation
import Inference
import TensorCore
import TestSupport

@testable import ONNXGraph

/// One case of ONNX's suite: a model, and sets of inputs with the outputs they must give.
struct ConformanceCase {
    /// The suite and the case's folder in it, such as `node/test_abs`.
    let name: String
    let folder: URL

    /// All cases that were fetched, sorted by name.
    static func all() throws -> [ConformanceCase] {
        let files = FileManager.default
        var cases: [ConformanceCase] = []
        for suite in ["node", "pytorch-converted", "pytorch-operator", "simple"] {
            let folder = root.appendingPathComponent(suite)
            for name in try files.contentsOfDirectory(atPath: folder.path) {
                cases.append(
                    ConformanceCase(name: "\(suite)/\(name)", folder: folder.appendingPathComponent(name))
                )
            }
        }
        return cases.sorted { $0.name < $1.name }
    }

    /// Where `scripts/fetch-onnx-suite` puts the cases.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".build/onnx-suite")

    /// Why the case fails, or nil if it passes.
    ///
    /// Passing means: the outputs are right for every set, with the planner's rewriting and without.
    func failure(of model: Model) -> String? {
        do {
            try model.validate()
            let plans = [try ExecutionPlan(model), try ExecutionPlan(model, rewriting: false)]
            let sets = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasPrefix("test_data_set_") }.sorted()
            guard !sets.isEmpty else { return "no data" }
            for set in sets {
                let data = folder.appendingPathComponent(set)
                let inputs = try values("input", of: model.graph.requiredInputs, in: data)
                let expected = try values("output", of: model.graph.outputs, in: data)
                let named = Dictionary(
                    uniqueKeysWithValues: zip(model.graph.requiredInputs.map(\.name), inputs)
                )
                for plan in plans {
                    let outputs = try plan.run(values: named)
                    for (index, output) in outputs.enumerated() {
                        guard let difference = try difference(output, expected[index]) else { continue }
                        return "wrong result: output \(index): \(difference)"
                    }
                }
            }
            return nil
        } catch let error as ValueFile.Unreadable {
            return error.reason
        } catch {
            return "\(error)"
        }
    }

    private func difference(_ actual: Value, _ expected: Value) throws -> String? {
        switch (actual, expected) {
        case (.tensor(let a), .tensor(let b)): return try tolerance().firstDifference(a, b)
        case (.sequence(let a), .sequence(let b)) where a.count == b.count:
            for (a, b) in zip(a, b) {
                if let difference = try tolerance().firstDifference(a, b) { return difference }
            }
            return nil
        default: return actual == expected ? nil : "\(actual.kind), not equal to \(expected.kind)"
        }
    }

    private func values(_ prefix: String, of values: [ValueInfo], in data: URL) throws -> [Value] {
        try values.enumerated().map { index, value in
            let file = data.appendingPathComponent("\(prefix)_\(index).pb")
            do {
                return try ValueFile.read(Data(contentsOf: file), kind: value.kind)
            } catch let error as ValueFile.Unreadable {
                throw ValueFile.Unreadable(reason: "\(prefix) \(index) \(error.reason)")
            }
        }
    }

    /// The suite's own tolerance: relative 1e-3, absolute 1e-7, unless a `data.json` of the case says otherwise.
    private func tolerance() throws -> Tolerance {
        struct Written: Decodable {
            let rtol: Double?
            let atol: Double?
        }
        let file = folder.appendingPathComponent("data.json")
        var written: Written?
        if FileManager.default.fileExists(atPath: file.path) {
            written = try JSONDecoder().decode(Written.self, from: Data(contentsOf: file))
        }
        return .close(
            absolute: written?.atol ?? 1e-7,
            relative: written?.rtol ?? 1e-3,
            because: "the suite's tolerance"
        )
    }
}
