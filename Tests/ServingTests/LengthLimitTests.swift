import Foundation
import Inference
import TensorCore
import TestSupport
import Testing

@testable import Serving

/// Models that hold the length they were traced with.
struct LengthLimitTests {
    @Test(arguments: ["transformer-legacy", "unrolled-last-legacy", "unrolled-loop-legacy"])
    func `a traced length is served, and any other refused with the node and the length`(
        _ name: String
    ) async throws {
        let bytes = try Data(contentsOf: Fixtures.file("exports/\(name).onnx"))
        let repository = try await ServedFixtures.repository(TemporaryFolder(["m/1/model.onnx": bytes]))
        let model = try repository.model(named: "m")
        let limit = try #require(model.lengthLimit)
        #expect(limit.fixedLength == 17)
        let pool = ComputePool(threads: 1)
        let service = InferenceService(repository: repository, pool: pool)
        let probes = ProbeSequences(signature: model.sequenceModel.signature)
        let request = OutputRequest.outputs(model.sequenceModel.predictOutputs)
        let taken = try #require(probes.batch(lengths: [17, 17]))
        #expect(try await service.infer(model, request, taken).count == 1)
        for length in [1, 16, 18, 40] {
            let batch = try #require(probes.batch(lengths: [17, length]))
            let fault = InputFault.lengthNotServed(positions: length, limit: limit)
            await #expect(throws: ServingError.invalidInput(index: 1, reason: fault)) {
                try await service.infer(model, request, batch)
            }
            #expect("\(fault)".contains("exported with length 17 fixed at node "))
        }
        await pool.shutdown()
    }

    @Test func `a model that takes every length has no limit`() async throws {
        #expect(try await ServedFixtures.vowels().model(named: "vowels-cnn").lengthLimit == nil)
    }
}
