import Inference
import TensorCore
import TestSupport
import Testing

@testable import Serving

struct InferenceServiceTests {
    /// Runs a test with a service over `vowels-cnn` on threads that end with it.
    private func withService(
        threads: Int = 2,
        _ options: BatchOptions = BatchOptions(),
        _ body: (InferenceService, ServedModel, ComputePool) async throws -> Void
    ) async throws {
        let repository = try await ServedFixtures.vowels()
        let pool = ComputePool(threads: threads)
        let service = InferenceService(repository: repository, pool: pool, options: options)
        try await body(service, repository.model(named: "vowels-cnn"), pool)
        await pool.shutdown()
    }

    @Test func `each caller gets, to the last bit, what its sequences give alone`() async throws {
        try await withService(threads: 1) { service, model, pool in
            let gate = Gate()
            pool.submit { gate.pass() }
            let batches = try (0..<12).map { try ServedFixtures.sequences($0 * 3..<$0 * 3 + $0 % 3 + 1) }
            let request = OutputRequest.outputs(model.sequenceModel.predictOutputs)
            let tasks = batches.map { batch in Task { try await service.infer(model, request, batch) } }
            await until { service.queuedRequests == batches.count }
            gate.open()
            let executor = try model.sequenceModel.executor(for: request, batching: .ragged)
            for (task, batch) in zip(tasks, batches) {
                let together = try await task.value
                let alone = try (0..<batch.count).map { try executor.run(batch.slice($0..<$0 + 1)) }
                #expect(same(together, try BatchOutputs.join(alone)))
            }
        }
    }

    @Test func `padded batches give what batches without padding give`() async throws {
        let batch = try ServedFixtures.sequences(0..<20)
        let tolerance = Tolerance.close(absolute: 1e-5, because: "sums over another number of positions")
        try await withService { ragged, model, _ in
            try await withService(BatchOptions(batching: .padded, maxBatchRows: 100)) { padded, _, _ in
                for request in [OutputRequest.outputs(["predictions"]), .layer(nil)] {
                    let a = try await ragged.infer(model, request, batch)
                    let b = try await padded.infer(model, request, batch)
                    #expect(a.map(\.name) == b.map(\.name) && a.map(\.lengths) == b.map(\.lengths))
                    for (a, b) in zip(a, b) { #expect(tolerance.firstDifference(b.rows, a.rows) == nil) }
                }
            }
        }
    }

    @Test func `outputs come in the order they are named in, once planned for all orders`() async throws {
        let folder = try TemporaryFolder(["m/1/model.onnx": ServedFixtures.bytes(of: "peptide-bytenet")])
        let repository = try await ServedFixtures.repository(folder)
        let pool = ComputePool(threads: 1)
        let service = InferenceService(repository: repository, pool: pool)
        let model = try repository.model(named: "m")
        let tokens = try DataSets.tokens("GLFDIVKK")
        let batch = try SequenceBatch(rows: tokens, lengths: [5, 3])
        let names = model.sequenceModel.signature.outputs.map(\.name)
        #expect(names == ["predictions", "normalized"])
        for asked in [names, names.reversed(), names + names] {
            let outputs = try await service.infer(model, .outputs(asked), batch)
            #expect(outputs.map(\.name) == asked)
            let selection = try OutputSelection(.outputs(asked), of: model.sequenceModel)
            #expect(selection.request == .outputs(names))
        }
        await pool.shutdown()
    }

    @Test func `no output named means the predictions`() async throws {
        try await withService { service, model, _ in
            let batch = try ServedFixtures.sequences(0..<2)
            let predictions = model.sequenceModel.predictOutputs
            let unnamed = try await service.infer(model, .outputs([]), batch)
            #expect(same(unnamed, try await service.infer(model, .outputs(predictions), batch)))
            #expect(unnamed.map(\.name) == predictions)
        }
    }

    @Test func `a normalization layer answers with a row for each position`() async throws {
        try await withService { service, model, _ in
            let batch = try ServedFixtures.sequences(0..<3)
            let names: [String?] = [nil] + model.sequenceModel.layerNames
            #expect(names.count > 1)
            for name in names {
                let outputs = try await service.infer(model, .layer(name), batch)
                #expect(outputs.count == 1)
                #expect(outputs.first?.lengths == batch.lengths)
            }
        }
    }

    @Test func `an output or layer the model does not have is named, with those it has`() async throws {
        try await withService { service, model, _ in
            let batch = try ServedFixtures.sequences(0..<1)
            let outputs = model.sequenceModel.signature.outputs.map(\.name)
            await #expect(throws: ServingError.outputNotFound(name: "nope", available: outputs)) {
                try await service.infer(model, .outputs(["predictions", "nope"]), batch)
            }
            let layers = model.sequenceModel.layerNames
            await #expect(throws: ServingError.layerNotFound(name: "nope", available: layers)) {
                try await service.infer(model, .layer("nope"), batch)
            }
        }
    }

    @Test func `sequences that break the signature are refused before they are queued`() async throws {
        try await withService(BatchOptions(maxSequencePositions: 20)) { service, model, _ in
            let long = try SequenceBatch(
                rows: Tensor(repeating: Float(0), shape: [22, 12]),
                lengths: [1, 21]
            )
            let fault = ServingError.invalidInput(index: 1, reason: .tooLong(positions: 21, limit: 20))
            await #expect(throws: fault) {
                try await service.infer(model, .outputs(["predictions"]), long)
            }
        }
    }

    @Test func `a run known to be short waits for no compute thread, one of unknown length does`()
        async throws
    {
        let options = BatchOptions(maxInlineRun: .seconds(60))
        try await withService(threads: 1, options) { service, model, pool in
            let request = OutputRequest.outputs(["predictions"])
            let known = try ServedFixtures.sequences(0..<1)
            let first = try await service.infer(model, request, known)
            let gate = Gate()
            pool.submit { gate.pass() }
            // The only thread is held, and still there is an answer.
            #expect(same(try await service.infer(model, request, known), first))
            let longer = try ServedFixtures.sequences(0..<30)
            let waiting = Task { try await service.infer(model, request, longer) }
            await until { service.queuedRequests == 1 }
            gate.open()
            _ = try await waiting.value
            #expect(service.queuedRequests == 0)
        }
    }

    @Test func `where no run may be short enough, all wait for a compute thread`() async throws {
        try await withService(threads: 1) { service, model, pool in
            let request = OutputRequest.outputs(["predictions"])
            let batch = try ServedFixtures.sequences(0..<1)
            let first = try await service.infer(model, request, batch)
            let gate = Gate()
            pool.submit { gate.pass() }
            let waiting = Task { try await service.infer(model, request, batch) }
            await until { service.queuedRequests == 1 }
            gate.open()
            #expect(same(try await waiting.value, first))
        }
    }

    @Test func `a draining service is not ready and still answers`() async throws {
        try await withService { service, model, _ in
            #expect(service.readiness == .ready)
            service.beginDraining()
            #expect(service.readiness == .notReady(reason: "the server is stopping"))
            let outputs = try await service.infer(
                model,
                .outputs(["predictions"]),
                ServedFixtures.sequences(0..<1)
            )
            #expect(outputs.count == 1)
        }
    }

    @Test func `a service is not ready while its models are not`() throws {
        let folder = try TemporaryFolder(["m/1/model.onnx": ServedFixtures.bytes(of: "vowels-cnn")])
        let repository = try ModelRepository(paths: [folder.url])
        let pool = ComputePool(threads: 1)
        let service = InferenceService(repository: repository, pool: pool)
        #expect(service.readiness == .notReady(reason: "model 'm' version 1 is loading"))
    }

    @Test func `every sequence that breaks a rule is named, or the others are answered without them`()
        async throws
    {
        try await withService(BatchOptions(maxSequencePositions: 30)) { service, model, _ in
            let good = try ServedFixtures.sequences(0..<3)
            let long = try SequenceBatch(rows: Tensor(repeating: Float(0), shape: [31, 12]), lengths: [31])
            let batch = try SequenceBatch.concatenating([
                long, good.slice(0..<2), long, good.slice(2..<3),
            ])
            let faults = [0, 3].map { index in
                SequenceFault(
                    index: index,
                    error: .invalidInput(index: index, reason: .tooLong(positions: 31, limit: 30))
                )
            }
            let request = OutputRequest.outputs(["predictions"])
            await #expect(throws: ServingError.invalidSequences(faults)) {
                try await service.infer(model, request, batch)
            }
            let handling = RequestHandling(isolatesFaults: true)
            guard case .waiting(let wait) = try service.start(model, request, batch, handling) else {
                Issue.record("nothing runs inline here")
                return
            }
            let answer = try await wait()
            #expect(answer.faults == faults)
            #expect(same(answer.outputs, try await service.infer(model, request, good)))
            guard case .finished(let none) = try service.start(model, request, long, handling) else {
                Issue.record("there is nothing to run")
                return
            }
            #expect(none.outputs.isEmpty && none.faults.map(\.index) == [0])
        }
    }
}
