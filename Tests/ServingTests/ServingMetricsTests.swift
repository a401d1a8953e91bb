import Metrics
import Testing

@testable import Serving

struct ServingMetricsTests {
    @Test func `each run is counted once, with its rows and sequences`() async throws {
        let metrics = RecordingMetrics()
        let pool = ComputePool(threads: 1)
        let options = BatchOptions(maxBatchRows: 6)
        let scheduler = BatchScheduler(
            pool: pool,
            options: options,
            queueDepth: .queueDepth(factory: metrics)
        )
        let lane = Lane(ProbeExecutor(), metrics: metrics)
        _ = try await scheduler.run(lane.request(makeBatch([2, 3])))
        _ = try await scheduler.run(lane.request(makeBatch([5, 6])))
        await pool.shutdown()
        let model = "{probe,1}"
        #expect(metrics.values("seqnorm_batches_total" + model) == [1, 1, 1])
        #expect(metrics.values("seqnorm_inference_sequences_total" + model) == [2, 1, 1])
        #expect(metrics.values("seqnorm_batch_rows" + model) == [5, 5, 6])
        #expect(metrics.values("seqnorm_batch_sequences" + model) == [2, 1, 1])
        for name in ["seqnorm_queue_seconds", "seqnorm_compute_seconds"] {
            #expect(metrics.values(name + model).allSatisfy { $0 >= 0 })
        }
        #expect(metrics.values("seqnorm_queue_seconds" + model).count == 2)
        #expect(metrics.values("seqnorm_compute_seconds" + model).count == 3)
        #expect(metrics.values("seqnorm_queue_depth") == [1, 0, 1, 1, 0])
    }

    @Test func `queue depth follows arrivals, cancellations and batches`() async throws {
        let metrics = RecordingMetrics()
        let pool = ComputePool(threads: 1)
        let scheduler = BatchScheduler(
            pool: pool,
            options: BatchOptions(),
            queueDepth: .queueDepth(factory: metrics)
        )
        let gate = Gate()
        let lane = Lane(ProbeExecutor(gate: gate), metrics: metrics)
        let requests = try (0..<3).map { _ in lane.request(try makeBatch([1])) }
        let first = Task { try await scheduler.run(requests[0]) }
        await until { gate.arrivals == 1 }
        let second = Task { try await scheduler.run(requests[1]) }
        await until { scheduler.queuedRequests == 1 }
        let third = Task { try await scheduler.run(requests[2]) }
        await until { scheduler.queuedRequests == 2 }
        second.cancel()
        await until { scheduler.queuedRequests == 1 }
        gate.open()
        _ = try await (first.value, third.value)
        await pool.shutdown()
        #expect(metrics.values("seqnorm_queue_depth") == [1, 0, 1, 2, 1, 0])
    }

    @Test func `names have the prefix and a unit`() {
        let metrics = RecordingMetrics()
        _ = ModelMetrics(model: "m", version: 2, factory: metrics)
        #expect(metrics.names.allSatisfy { $0.hasPrefix("seqnorm_") && $0.hasSuffix("{m,2}") })
        let units = ["_total", "_seconds", "_rows", "_sequences", "_requests"]
        #expect(metrics.names.allSatisfy { name in units.contains { name.hasSuffix($0 + "{m,2}") } })
    }
}
