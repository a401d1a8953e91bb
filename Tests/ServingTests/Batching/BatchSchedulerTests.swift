import Inference
import Metrics
import NIOConcurrencyHelpers
import TensorCore
import Testing

@testable import Serving

struct BatchSchedulerTests {
    private func scheduler(
        _ pool: ComputePool,
        rows: Int = 1000,
        sequences: Int = 1000,
        queued: Int = 1000,
        queuedRows: Int = 100_000,
        delay: Duration = .zero
    ) -> BatchScheduler {
        let options = BatchOptions(
            maxBatchRows: rows,
            maxBatchSize: sequences,
            maxQueuedRequests: queued,
            maxQueuedRows: queuedRows,
            maxQueueDelay: delay
        )
        return BatchScheduler(
            pool: pool,
            options: options,
            queueDepth: .queueDepth(factory: NOOPMetricsHandler.instance)
        )
    }

    private typealias Answer = Result<[SequenceOutput], ServingError>

    private func answer(_ scheduler: BatchScheduler, _ request: PendingRequest) async -> Answer {
        do throws(ServingError) {
            return .success(try await scheduler.run(request).outputs)
        } catch {
            return .failure(error)
        }
    }

    private func failure(_ answer: Answer) -> ServingError? {
        if case .failure(let error) = answer { error } else { nil }
    }

    /// Starts a request that holds a thread at the executor's gate.
    private func occupy(
        _ scheduler: BatchScheduler,
        _ lane: Lane,
        _ gate: Gate
    ) async throws -> Task<Answer, Never> {
        let request = lane.request(try makeBatch([1]))
        let before = gate.arrivals
        let task = Task { await answer(scheduler, request) }
        await until { gate.arrivals > before }
        return task
    }

    /// Queues requests one after the other, so that their order is known.
    private func queue(_ scheduler: BatchScheduler, _ requests: [PendingRequest]) async -> [Task<
        Answer, Never
    >] {
        var tasks: [Task<Answer, Never>] = []
        for request in requests {
            let before = scheduler.queuedRequests
            tasks.append(Task { await answer(scheduler, request) })
            await until { scheduler.queuedRequests > before }
        }
        return tasks
    }

    @Test func `requests that wait together are run together and each gets what it gets alone`() async throws
    {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let gate = Gate()
        let executor = ProbeExecutor(gate: gate)
        let lane = Lane(executor)
        let other = ProbeExecutor()
        let otherLane = Lane(other)
        let first = try await occupy(scheduler, lane, gate)
        let batches = try [[2, 3], [1], [4, 1, 1]].enumerated().map {
            try makeBatch($1, from: Float($0) * 100)
        }
        let tasks = await queue(
            scheduler,
            [lane.request(batches[0]), otherLane.request(try makeBatch([7]))]
                + batches[1...].map { lane.request($0) }
        )
        gate.open()
        _ = try await first.value.get()
        for (task, batch) in zip([tasks[0], tasks[2], tasks[3]], batches) {
            #expect(same(try await task.value.get(), try ProbeExecutor().run(batch)))
        }
        _ = try await tasks[1].value.get()
        #expect(executor.ranLengths == [[1], [2, 3, 1, 4, 1, 1]])
        #expect(other.ranLengths == [[7]])
        await pool.shutdown()
    }

    @Test func `a full queue refuses at once and the waiting are answered`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, queued: 2)
        let gate = Gate()
        let lane = Lane(ProbeExecutor(gate: gate))
        let first = try await occupy(scheduler, lane, gate)
        let tasks = await queue(scheduler, try (0..<2).map { _ in lane.request(try makeBatch([1])) })
        let refused = await answer(scheduler, lane.request(try makeBatch([1])))
        #expect(failure(refused) == .overloaded(queuedRequests: 2, retrySeconds: 1))
        gate.open()
        for task in [first] + tasks { _ = try await task.value.get() }
        await pool.shutdown()
    }

    @Test func `a caller cancelled in the queue leaves it at once and is never run`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let gate = Gate()
        let executor = ProbeExecutor(gate: gate)
        let lane = Lane(executor)
        let first = try await occupy(scheduler, lane, gate)
        let batches = try (0..<3).map { try makeBatch([$0 + 2], from: Float($0) * 10) }
        let tasks = await queue(scheduler, batches.map { lane.request($0) })
        tasks[1].cancel()
        #expect(failure(await tasks[1].value) == .cancelled)
        await until { scheduler.queuedRequests == 2 }
        gate.open()
        _ = try await first.value.get()
        #expect(same(try await tasks[0].value.get(), try ProbeExecutor().run(batches[0])))
        #expect(same(try await tasks[2].value.get(), try ProbeExecutor().run(batches[2])))
        #expect(executor.ranLengths == [[1], [2, 4]])
        await pool.shutdown()
    }

    @Test func `a caller cancelled in a running batch goes at once and its neighbours never notice`()
        async throws
    {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let entry = Gate()
        let inside = Gate()
        let blocker = Lane(ProbeExecutor(gate: entry))
        let executor = ProbeExecutor(gate: inside)
        let lane = Lane(executor)
        let first = try await occupy(scheduler, blocker, entry)
        let batches = try (0..<3).map { try makeBatch([$0 + 2], from: Float($0) * 10) }
        let tasks = await queue(scheduler, batches.map { lane.request($0) })
        entry.open()
        await until { inside.arrivals == 1 }
        tasks[1].cancel()
        #expect(failure(await tasks[1].value) == .cancelled)
        inside.open()
        _ = try await first.value.get()
        #expect(same(try await tasks[0].value.get(), try ProbeExecutor().run(batches[0])))
        #expect(same(try await tasks[2].value.get(), try ProbeExecutor().run(batches[2])))
        #expect(executor.ranLengths == [[2, 3, 4]])
        await pool.shutdown()
    }

    @Test func `a caller cancelled before it asks is not queued`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let executor = ProbeExecutor()
        let request = Lane(executor).request(try makeBatch([1]))
        let task = Task {
            await until { Task.isCancelled }
            return await answer(scheduler, request)
        }
        task.cancel()
        #expect(failure(await task.value) == .cancelled)
        await pool.shutdown()
        #expect(executor.ranLengths.isEmpty)
    }

    @Test func `one that fails does not spoil those it was run with`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let gate = Gate()
        let executor = ProbeExecutor(gate: gate)
        let lane = Lane(executor)
        let first = try await occupy(scheduler, lane, gate)
        let good = try [makeBatch([2]), makeBatch([3], from: 50)]
        let bad = try makeBatch([4], from: ProbeExecutor.poison)
        let tasks = await queue(scheduler, [good[0], bad, good[1]].map { lane.request($0) })
        gate.open()
        _ = try await first.value.get()
        #expect(same(try await tasks[0].value.get(), try ProbeExecutor().run(good[0])))
        #expect(same(try await tasks[2].value.get(), try ProbeExecutor().run(good[1])))
        #expect(failure(await tasks[1].value) == .executionFailed(reason: "input poison is missing"))
        #expect(executor.ranLengths == [[1], [2, 4, 3], [2], [4], [3]])
        await pool.shutdown()
    }

    @Test func `a request over the budget is run in pieces and put together again`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, rows: 10, sequences: 3)
        let executor = ProbeExecutor()
        let batch = try makeBatch([4, 4, 4, 1, 1, 1, 1, 25, 2])
        let whole = try await scheduler.run(Lane(executor).request(batch)).outputs
        #expect(same(whole, try ProbeExecutor().run(batch)))
        #expect(executor.ranLengths == [[4, 4], [4, 1, 1], [1, 1], [25], [2]])
        await pool.shutdown()
    }

    @Test func `the pieces of one request are run on every thread, and put together in order`() async throws {
        let pool = ComputePool(threads: 3)
        let scheduler = scheduler(pool, sequences: 1)
        let gate = Gate()
        let batch = try makeBatch([2, 3, 4, 1, 5])
        let lane = Lane(ProbeExecutor(gate: gate))
        let task = Task { await answer(scheduler, lane.request(batch)) }
        await until { gate.arrivals == 3 }
        #expect(scheduler.queuedRequests == 1 && scheduler.queuedRows == 6)
        gate.open()
        #expect(same(try await task.value.get(), try ProbeExecutor().run(batch)))
        await pool.shutdown()
    }

    @Test func `a small request is run before the rest of a bulk one that came first`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, rows: 10, sequences: 4)
        let gate = Gate()
        let executor = ProbeExecutor(gate: gate)
        let lane = Lane(executor)
        let first = try await occupy(scheduler, lane, gate)
        let bulk = try makeBatch(Array(repeating: 1, count: 100))
        let small = try makeBatch([3], from: 500)
        let tasks = await queue(scheduler, [lane.request(bulk), lane.request(small)])
        gate.open()
        _ = try await first.value.get()
        #expect(same(try await tasks[1].value.get(), try ProbeExecutor().run(small)))
        #expect(same(try await tasks[0].value.get(), try ProbeExecutor().run(bulk)))
        #expect(executor.ranLengths[1].contains(3))
        await pool.shutdown()
    }

    @Test func `a piece that fails fails its request, and the rest of it leaves the queue`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, sequences: 1)
        let executor = ProbeExecutor()
        let lane = Lane(executor)
        let bad = try makeBatch([1, 1, 1, 1], from: ProbeExecutor.poison)
        #expect(
            failure(await answer(scheduler, lane.request(bad)))
                == .executionFailed(reason: "input poison is missing")
        )
        await pool.shutdown()
        #expect(scheduler.queuedRequests == 0 && scheduler.queuedRows == 0)
        #expect(executor.ranLengths == [[1]])
    }

    @Test func `rows over the limit of what may wait are refused`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, queuedRows: 10)
        let gate = Gate()
        let lane = Lane(ProbeExecutor(gate: gate))
        let first = try await occupy(scheduler, lane, gate)
        let tasks = await queue(scheduler, [lane.request(try makeBatch([30]))])
        #expect(
            failure(await answer(scheduler, lane.request(try makeBatch([1]))))
                == .tooManyRowsQueued(rows: 30, retrySeconds: 1)
        )
        gate.open()
        for task in [first] + tasks { _ = try await task.value.get() }
        await pool.shutdown()
    }

    @Test func `requests wait for company for the delay, or until a batch is full`() async throws {
        let pool = ComputePool(threads: 2)
        let patient = scheduler(pool, sequences: 3, delay: .seconds(1_000_000))
        let executor = ProbeExecutor()
        let lane = Lane(executor)
        let batches = try (0..<3).map { try makeBatch([$0 + 1], from: Float($0)) }
        let tasks = await queue(patient, batches[..<2].map { lane.request($0) })
        let last = await answer(patient, lane.request(batches[2]))
        #expect(same(try last.get(), try ProbeExecutor().run(batches[2])))
        for (task, batch) in zip(tasks, batches) {
            #expect(same(try await task.value.get(), try ProbeExecutor().run(batch)))
        }
        #expect(executor.ranLengths == [[1, 2, 3]])
        let hasty = scheduler(pool, delay: .microseconds(200))
        #expect(
            same(try await hasty.run(lane.request(batches[0])).outputs, try ProbeExecutor().run(batches[0]))
        )
        await pool.shutdown()
    }

    @Test func `an executor that gives too few rows fails its caller only`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let outputs = [
            SequenceOutput(name: "y", rows: Tensor(repeating: Float(0), shape: [1, 1]), lengths: nil)
        ]
        let lane = Lane(FixedExecutor(outputs: outputs))
        #expect(same(try await scheduler.run(lane.request(makeBatch([3]))).outputs, outputs))
        let answer = await answer(scheduler, lane.request(try makeBatch([3, 3])))
        let reason = "output 'y' does not have one part for each sequence"
        #expect(failure(answer) == .executionFailed(reason: reason))
        await pool.shutdown()
    }

    @Test func `what waits when the pool stops is still answered, what comes later is refused`() async throws
    {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, sequences: 1)
        let gate = Gate()
        let lane = Lane(ProbeExecutor(gate: gate))
        let first = try await occupy(scheduler, lane, gate)
        let tasks = await queue(scheduler, try (0..<5).map { _ in lane.request(try makeBatch([1])) })
        async let stopped: Void = pool.shutdown()
        await until { !pool.submit {} }
        gate.open()
        for task in [first] + tasks { _ = try await task.value.get() }
        await stopped
        let late = await answer(scheduler, lane.request(try makeBatch([1])))
        #expect(failure(late) == .notReady(reason: "the compute threads have stopped"))
        #expect(scheduler.queuedRequests == 0)
    }

    @Test(arguments: [1, 2, 5])
    func `20,000 calls from many tasks each get their own answer`(threads: Int) async throws {
        let pool = ComputePool(threads: threads)
        let scheduler = scheduler(pool, rows: 64, sequences: 16)
        let lanes = [Lane(ProbeExecutor()), Lane(ProbeExecutor()), Lane(ProbeExecutor())]
        let wrong = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<40 {
                group.addTask {
                    var wrong = 0
                    for call in 0..<500 {
                        let lane = lanes[(worker + call) % lanes.count]
                        guard
                            let batch = try? makeBatch(
                                [call % 5 + 1, worker % 3 + 1],
                                from: Float(worker * call)
                            ),
                            let alone = try? ProbeExecutor().run(batch)
                        else { return 1 }
                        if call % 10 == 3 {
                            // A caller that may be cancelled at any moment gets its own answer or none.
                            let task = Task { await answer(scheduler, lane.request(batch)) }
                            task.cancel()
                            switch await task.value {
                            case .success(let outputs): if !same(outputs, alone) { wrong += 1 }
                            case .failure(let error): if error != .cancelled { wrong += 1 }
                            }
                        } else {
                            let outputs = try? await answer(scheduler, lane.request(batch)).get()
                            if !same(outputs ?? [], alone) { wrong += 1 }
                        }
                    }
                    return wrong
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        #expect(scheduler.queuedRequests == 0)
        await pool.shutdown()
    }

    // MARK: Deadlines and faults

    @Test func `a request whose time is up is answered in the queue and never run`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let gate = Gate()
        let executor = ProbeExecutor(gate: gate)
        let lane = Lane(executor)
        let first = try await occupy(scheduler, lane, gate)
        let soon = RequestHandling(deadline: .now + .milliseconds(1))
        let late = lane.request(try makeBatch([2]), soon)
        #expect(failure(await answer(scheduler, late)) == .deadlineExceeded)
        #expect(scheduler.queuedRequests == 0)
        gate.open()
        _ = try await first.value.get()
        await pool.shutdown()
        #expect(executor.ranLengths == [[1]])
    }

    @Test func `a request whose time is up while it runs is answered then, its neighbours as ever`()
        async throws
    {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let gate = Gate()
        let lane = Lane(ProbeExecutor(gate: gate))
        let batch = try makeBatch([2])
        let patient = Task { await answer(scheduler, lane.request(batch)) }
        await until { gate.arrivals == 1 }
        let hurried = lane.request(try makeBatch([3]), RequestHandling(deadline: .now + .milliseconds(1)))
        #expect(failure(await answer(scheduler, hurried)) == .deadlineExceeded)
        gate.open()
        #expect(same(try await patient.value.get(), try ProbeExecutor().run(batch)))
        await pool.shutdown()
    }

    @Test func `a deadline that has passed or is far away is no timer's business`() async throws {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool)
        let lane = Lane(ProbeExecutor())
        let passed = lane.request(try makeBatch([1]), RequestHandling(deadline: .now - .seconds(1)))
        #expect(failure(await answer(scheduler, passed)) == .deadlineExceeded)
        let far = lane.request(try makeBatch([1]), RequestHandling(deadline: .now + .seconds(86_400)))
        _ = try await answer(scheduler, far).get()
        await pool.shutdown()
    }

    @Test func `sequences that fail are named, and the others answered, where faults are isolated`()
        async throws
    {
        let pool = ComputePool(threads: 1)
        let scheduler = scheduler(pool, sequences: 3)
        let lane = Lane(ProbeExecutor())
        let batches = try (0..<7).map { index in
            try makeBatch([2], from: [1, 4].contains(index) ? ProbeExecutor.poison : Float(index))
        }
        let all = try SequenceBatch.concatenating(batches)
        let answer = try await scheduler.run(lane.request(all, RequestHandling(isolatesFaults: true)))
        let error = ServingError.executionFailed(reason: "input poison is missing")
        #expect(answer.faults == [1, 4].map { SequenceFault(index: $0, error: error) })
        let good = try SequenceBatch.concatenating([0, 2, 3, 5, 6].map { batches[$0] })
        #expect(same(answer.outputs, try ProbeExecutor().run(good)))
        #expect(answer.course.rows == 14 && answer.course.batches == 5)
        #expect(failure(await self.answer(scheduler, lane.request(all))) == error)
        await pool.shutdown()
    }
}
