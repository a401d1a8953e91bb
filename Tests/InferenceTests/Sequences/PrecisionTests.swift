import Kernels
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Models whose products are rounded to bfloat16: how far they are from float32, and that the promise holds for them.
struct PrecisionTests {
    /// A model of the reference set, and how far its logits may be from those in float32.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let difference: Float
        /// Answers of the test set that may have another class than in float32.
        let changes: Int

        var testDescription: String { name }
    }

    private static let cases = [
        Case(name: "vowels-cnn", difference: 0.04, changes: 2),
        Case(name: "vowels-bnlstm", difference: 0.03, changes: 2),
        Case(name: "peptide-bytenet", difference: 0.02, changes: 2),
    ]
    private static let names = cases.map(\.name)

    private func model(_ name: String, _ precision: Precision = .bfloat16) throws -> SequenceModel {
        try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/\(name)/inference.onnx")),
            precision: precision
        )
    }

    /// The test set of a model: its rows, and the number of each sequence's class.
    private func testSet(_ name: String) throws -> (rows: [Tensor], classes: [Int?]) {
        if name == "peptide-bytenet" {
            let lines = try DataSets.peptides("test")
            return (try lines.map { try $0.rows() }, lines.map { $0.label.flatMap { Int($0) } })
        }
        let lines = try DataSets.vowels("test")
        return (try lines.map { try $0.rows() }, lines.map { Int($0.label).map { $0 - 1 } })
    }

    private func batch(_ parts: [Tensor]) throws -> SequenceBatch {
        try .concatenating(parts.map { try SequenceBatch(rows: $0, lengths: [$0.shape[0]]) })
    }

    private func predictions(_ model: SequenceModel, _ rows: [Tensor]) throws -> [[Float]] {
        let answers = try model.executor(for: .outputs(["predictions"]), batching: .ragged).run(batch(rows))
        let logits = try #require(answers.first).rows
        return (0..<rows.count).map { logits.element(at: $0).array() }
    }

    private func best(_ logits: [Float]) -> Int? { logits.indices.max { logits[$0] < logits[$1] } }

    @Test(arguments: cases)
    func `a test set's logits and classes are near those of float32`(_ item: Case) throws {
        let (wide, narrow) = (try model(item.name, .float32), try model(item.name))
        #expect(narrow.precision == .bfloat16)
        let (rows, classes) = try testSet(item.name)
        let (expected, actual) = (try predictions(wide, rows), try predictions(narrow, rows))
        var (worst, largest, changes) = (Float(0), Float(0), 0)
        var right = (wide: 0, narrow: 0)
        for index in rows.indices {
            for (x, y) in zip(actual[index], expected[index]) {
                worst = max(worst, abs(x - y))
                largest = max(largest, abs(y))
            }
            let (mine, theirs) = (best(actual[index]), best(expected[index]))
            if mine != theirs { changes += 1 }
            if mine == classes[index] { right.narrow += 1 }
            if theirs == classes[index] { right.wide += 1 }
        }
        print(
            "bf16 \(item.name): logits up to \(largest), at most \(worst) apart, \(changes) of \(rows.count) classes "
                + "changed; right \(right.wide) in float32, \(right.narrow) in bf16"
        )
        #expect(worst <= item.difference)
        #expect(changes <= item.changes)
        #expect(abs(right.narrow - right.wide) <= item.changes)
    }

    @Test(arguments: ["vowels-cnn", "peptide-bytenet"])
    func `products are really rounded`(_ name: String) throws {
        let (wide, narrow) = (try model(name, .float32), try model(name))
        let rows = Array(try testSet(name).rows.prefix(4))
        #expect(try predictions(wide, rows) != predictions(narrow, rows))
    }

    // MARK: The promise

    @Test(arguments: names, Batching.allCases)
    func `a sequence gets the same bits alone, first, last and in 64`(_ name: String, _ batching: Batching)
        throws
    {
        let model = try model(name)
        let executor = try model.executor(
            for: .outputs(model.signature.outputs.map(\.name)),
            batching: batching
        )
        let pool = try testSet(name).rows
        let mine = pool[5]
        func answers(_ parts: [Tensor], at index: Int) throws -> [[Float]] {
            try executor.run(batch(parts)).map { output in
                guard let lengths = output.lengths else { return output.rows.element(at: index).array() }
                let start = lengths[..<index].reduce(0, +)
                return output.rows.slice(start..<start + lengths[index]).array()
            }
        }
        let alone = try answers([mine], at: 0)
        let others = Array(pool[10..<73])
        for place in [0, 31, 63] {
            let parts = others[..<place] + [mine] + others[place...]
            #expect(try answers(Array(parts), at: place) == alone, "at \(place)")
        }
    }

    @Test(arguments: names)
    func `ragged and padded give the same answers`(_ name: String) throws {
        let model = try model(name)
        let batch = try batch(Array(testSet(name).rows.prefix(12)))
        let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
        let ragged = try model.executor(for: request, batching: .ragged).run(batch)
        let padded = try model.executor(for: request, batching: .padded).run(batch)
        for (mine, theirs) in zip(ragged, padded) { #expect(mine.rows == theirs.rows, "\(mine.name)") }
    }

    @Test(arguments: 0..<10)
    func `random models give each sequence the bits it gets alone`(_ part: Int) throws {
        var runs = 0
        for index in 0..<10 {
            var graph = RandomGraph(seed: UInt64(part * 1000 + index))
            let wide = try graph.model(steps: 4 + index)
            let model = try SequenceModel(
                model: wide.model,
                signature: wide.signature,
                sites: wide.sites,
                precision: .bfloat16
            )
            let request = OutputRequest.outputs(model.signature.outputs.map(\.name))
            guard let executor = try model.raggedExecutor(for: request).executor as? PackedExecutor else {
                continue
            }
            for lengths in [[1], [7], [12, 13, 11, 1, 24, 25], [64, 5, 65, 130]] {
                let batch = try graph.batch(lengths)
                guard let packed = executor.plan.run(batch) else { continue }
                runs += 1
                for (mine, theirs) in zip(packed, try executor.single.run(batch)) {
                    #expect(mine.rows == theirs.rows, "\(part) \(index) \(lengths) \(mine.name)")
                }
            }
        }
        #expect(runs > 15)
    }
}
