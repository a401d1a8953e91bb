import Foundation
import Inference
import ONNXGraph
import TestSupport
import Testing

@Suite struct ModelSummaryTests {
    private func summary(_ name: String) throws -> ModelSummary {
        let bytes = try Data(contentsOf: Fixtures.reference("models/\(name).onnx"))
        return try ModelSummary(of: Model(serialized: bytes), digest: Digest.sha256Hex(bytes))
    }

    @Test(arguments: [
        ("vowels-cnn/inference", 45961, 17), ("peptide-bytenet/inference", 84162, 18),
        ("vowels-bnlstm/inference", 20937, 19), ("vowels-plain-bn/eval-legacy-unfolded", 45961, 17),
    ])
    func `parameters are counted without population statistics and scalars`(
        name: String,
        parameters: Int,
        opset: Int
    ) throws {
        let summary = try summary(name)
        #expect(summary.parameters == parameters)
        #expect(summary.opset == opset)
        #expect(summary.signatureFault == nil)
        #expect(summary.digest.count == 64)
    }

    @Test func `operators of loops' bodies are counted too`() throws {
        let counts = try summary("nested-scan/inference").operators
        #expect(counts.first { $0.name == "Scan" }?.count == 2)
        #expect(counts.first { $0.name == "MatMul" }?.count == 5)
        #expect(counts.map(\.name) == counts.map(\.name).sorted())
    }

    @Test func `statistics are summed up with shape, steps and range`() throws {
        let sites = try summary("vowels-bnlstm/inference").sites
        #expect(sites.map(\.shape) == [[26, 256], [26, 256], [26, 64]])
        #expect(sites.map(\.steps) == [[26], [26], [26]])
        for site in sites {
            let variances = try #require(site.varianceRange)
            #expect(variances[0] >= 0 && variances[0] < variances[1])
        }
    }

    @Test func `a model that cannot be served says why`() throws {
        let summary = try summary("nested-scan/inference")
        #expect(summary.signature == nil)
        #expect(summary.signatureFault?.contains("'x'") == true)
    }

    @Test func `a summary survives JSON`() throws {
        let summary = try summary("peptide-bytenet/inference")
        #expect(try JSONDecoder().decode(ModelSummary.self, from: JSONEncoder().encode(summary)) == summary)
    }
}
