import Foundation
import Inference
import ONNXGraph
import TensorCore
import Testing

@testable import SeqnormCLI

@Suite struct BenchTests {
    @Test(arguments: ["peptide-bytenet", "vowels-bnlstm", "vowels-cnn"])
    func `made-up sequences are such as the model takes, and always the same`(name: String) throws {
        let file = URL(fileURLWithPath: "\(Program.models)/\(name)/1/model.onnx")
        let model = try SequenceModel(model: Model(contentsOf: file))
        let lengths = [3, 1, 40]
        let batch = try BenchCommand.madeUpBatch(for: model.signature, lengths: lengths)
        let again = try BenchCommand.madeUpBatch(for: model.signature, lengths: lengths)
        #expect(batch.lengths == lengths)
        #expect(batch.rowCount == 44)
        switch model.signature.sequence.kind {
        case .tokens:
            let tokens = batch.rows.array(of: Int64.self)
            #expect(tokens == again.rows.array(of: Int64.self))
            #expect(tokens.allSatisfy { 0 <= $0 && Int($0) < model.signature.alphabet?.count ?? 0 })
            #expect(Set(tokens).count > 1)
        case .features(_, let channels):
            let values = batch.rows.array(of: Float.self)
            #expect(values == again.rows.array(of: Float.self))
            #expect(values.count == 44 * channels)
            #expect(values.allSatisfy { abs($0) <= 1 })
            #expect(Set(values).count > 40)
        }
        let executor = try model.executor(for: .outputs(model.predictOutputs), batching: .ragged)
        #expect(try executor.run(batch).isEmpty == false)
    }
}
