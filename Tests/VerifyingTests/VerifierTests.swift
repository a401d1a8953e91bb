import Foundation
import Inference
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Verifying

/// What is found out about real models by running them.
struct VerifierTests {
    private func report(_ path: String) throws -> VerificationReport {
        try ModelVerifier(SequenceModel(model: Model(contentsOf: Fixtures.file(path)))).report()
    }

    private func check(
        _ kind: VerificationReport.Check.Kind,
        of report: VerificationReport
    ) throws -> VerificationReport.Check {
        try #require(report.checks.first { $0.kind == kind })
    }

    @Test(arguments: ["vowels-cnn", "vowels-bnlstm", "peptide-bytenet"])
    func `a model that masks all it should holds in everything`(_ name: String) throws {
        let report = try report("reference/models/\(name)/inference.onnx")
        #expect(report.isHeld())
        for check in report.checks where check.kind != .paddingContent {
            #expect(check.outcome == .held, "\(check.kind): \(check.detail)")
            #expect(check.comparisons > 0)
        }
        #expect(report.failingLengths.isEmpty && report.unusedInputs.isEmpty)
    }

    @Test func `without a mask padding leaks at the first convolution that reads what batch norm made of it`()
        throws
    {
        let report = try report("reference/models/vowels-plain-bn/eval-legacy-nomask.onnx")
        let padding = try check(.padding, of: report)
        #expect(padding.outcome == .failed)
        // The first convolution pads with zeros itself: it cannot tell them. Batch norm makes other numbers of what it
        // gives there, and the second convolution's window reaches them.
        #expect(padding.node == "/convs.1/Conv" && padding.operatorType == "Conv")
        #expect(try #require(padding.largestDifference) > 0.01)
        let content = try check(.paddingContent, of: report)
        #expect(content.node == "/convs.0/Conv")
        #expect(try check(.company, of: report).outcome == .held)
        #expect(try check(.order, of: report).outcome == .held)
        #expect(try check(.ragged, of: report).outcome == .held)
        #expect(!report.isHeld() && report.isHeld(allowing: [.padding]))
    }

    @Test func `a model that looks at the whole batch is found, with the node that does`() throws {
        let report = try report("exports/cond-dynamo.onnx")
        let company = try check(.company, of: report)
        #expect(company.outcome == .failed)
        #expect(company.operatorType == "ReduceSum" || company.operatorType == "If", "\(company.detail)")
        #expect(try check(.ragged, of: report).outcome == .held)
    }

    @Test(arguments: ["transformer", "conformer", "textcnn", "bytenet"])
    func `an export with a mask depends on nothing but the sequence`(_ name: String) throws {
        let report = try report("exports/\(name)-dynamo.onnx")
        #expect(report.isHeld(), "\(report.checks.filter { $0.outcome == .failed }.map(\.detail))")
        #expect(try check(.padding, of: report).outcome == .held)
    }

    @Test func `a backward recurrence without lengths reads the padding first`() throws {
        let padding = try check(.padding, of: report("exports/bilstm-legacy.onnx"))
        #expect(padding.outcome == .failed && padding.operatorType == "LSTM")
    }

    @Test func `a forward recurrence does not mind what comes after a sequence`() throws {
        #expect(try check(.padding, of: report("exports/rnn-legacy.onnx")).outcome == .held)
    }

    @Test func `a packed recurrence is told the lengths`() throws {
        let report = try report("exports/packed-lstm-legacy.onnx")
        #expect(try check(.padding, of: report).outcome == .held)
        #expect(try check(.paddingContent, of: report).outcome == .held)
    }

    @Test(arguments: ["transformer-legacy", "unrolled-last-legacy"])
    func `a traced length fails, and every other length with it`(_ name: String) throws {
        let report = try report("exports/\(name).onnx")
        let lengths = try check(.lengths, of: report)
        #expect(lengths.outcome == .failed && lengths.detail.contains("length 17 fixed at node"))
        #expect(report.failingLengths.map(\.length) == report.triedLengths.filter { $0 != 17 })
        #expect(try check(.ragged, of: report).outcome == .held)
    }

    @Test func `given sequences are used instead of made-up ones`() throws {
        let model = try SequenceModel(
            model: Model(contentsOf: Fixtures.reference("models/vowels-plain-bn/eval-legacy-nomask.onnx"))
        )
        let rows = try DataSets.vowels("test").prefix(5).map { line in
            let rows = try line.rows()
            return try SequenceBatch(rows: rows, lengths: [rows.shape[0]])
        }
        let report = try ModelVerifier(model, data: SequenceBatch.concatenating(rows)).report()
        #expect(try check(.ragged, of: report).comparisons == 15)
        #expect(try check(.padding, of: report).node == "/convs.1/Conv")
        for one in rows { #expect(report.triedLengths.contains(one.rowCount)) }
    }

    @Test func `an input that is read by nothing, or by nothing that counts, is named`() throws {
        var model = try Model(contentsOf: Fixtures.file("exports/rnn-legacy.onnx"))
        var graph = model.graph
        graph.inputs.append(
            ValueInfo("mask", elementType: .float32, dimensions: [.symbol("batch"), .symbol("time")])
        )
        model.graph = graph
        let report = try ModelVerifier(SequenceModel(model: model)).report()
        #expect(report.unusedInputs == ["mask"])
        #expect(try check(.inputs, of: report).outcome == .failed)
    }

    @Test func `a report goes through JSON`() throws {
        let report = try report("exports/bilstm-dynamo.onnx")
        let decoded = try JSONDecoder().decode(VerificationReport.self, from: JSONEncoder().encode(report))
        #expect(decoded == report)
    }
}
