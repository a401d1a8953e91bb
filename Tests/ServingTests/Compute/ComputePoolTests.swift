import Foundation
import Kernels
import NIOConcurrencyHelpers
import Testing

@testable import Serving

struct ComputePoolTests {
    @Test func `jobs run on the pool's own threads, each prepared before`() async {
        let prepared = NIOLockedValueBox<Set<ObjectIdentifier>>([])
        let pool = ComputePool(threads: 3) {
            prepared.withLockedValue { _ = $0.insert(ObjectIdentifier(Thread.current)) }
        }
        let gate = Gate()
        let used = NIOLockedValueBox<[ObjectIdentifier]>([])
        for _ in 0..<3 {
            pool.submit {
                gate.pass()
                used.withLockedValue { $0.append(ObjectIdentifier(Thread.current)) }
            }
        }
        await until { gate.arrivals == 3 }
        gate.open()
        await pool.shutdown()
        #expect(prepared.withLockedValue { $0.count } == 3)
        #expect(Set(used.withLockedValue { $0 }) == prepared.withLockedValue { $0 })
    }

    #if os(Linux)
        @Test func `threads have names`() async throws {
            let pool = ComputePool(threads: 1, name: "a-rather-long-name")
            let name = try await pool.run {
                try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            }
            #expect(name == "a-rather-long-n\n")
            await pool.shutdown()
        }
    #endif

    @Test func `as many jobs run at once as there are threads`() async {
        let pool = ComputePool(threads: 3)
        let gate = Gate()
        for _ in 0..<5 { pool.submit { gate.pass() } }
        await until { gate.arrivals == 3 }
        gate.open()
        await pool.shutdown()
        #expect(gate.arrivals == 5)
    }

    @Test(arguments: [-1, 0, 1])
    func `there is always a thread`(threads: Int) async throws {
        let pool = ComputePool(threads: threads)
        #expect(pool.threadCount == 1)
        #expect(try await pool.run { 7 } == 7)
        await pool.shutdown()
    }

    @Test func `jobs begin in order of arrival`() async {
        let pool = ComputePool(threads: 1)
        let order = NIOLockedValueBox<[Int]>([])
        for index in 0..<100 { pool.submit { order.withLockedValue { $0.append(index) } } }
        await pool.shutdown()
        #expect(order.withLockedValue { $0 } == Array(0..<100))
    }

    @Test func `a job shares its work with threads that have none, and only with those`() async throws {
        let pool = ComputePool(threads: 3, grain: 1)
        let ranges: @Sendable () -> Int = {
            let ranges = NIOLockedValueBox(0)
            Parallel.forEach(999, work: 1 << 20) { _ in ranges.withLockedValue { $0 += 1 } }
            return ranges.withLockedValue { $0 }
        }
        #expect(try await pool.run(ranges) > 1)
        let gate = Gate()
        for _ in 0..<2 { pool.submit { gate.pass() } }
        await until { gate.arrivals == 2 }
        #expect(try await pool.run(ranges) == 1)
        gate.open()
        await pool.shutdown()
    }

    @Test func `shutdown waits for what was submitted and refuses what comes later`() async {
        let pool = ComputePool(threads: 2)
        let gate = Gate()
        let done = NIOLockedValueBox(0)
        for _ in 0..<10 {
            pool.submit {
                gate.pass()
                done.withLockedValue { $0 += 1 }
            }
        }
        async let first: Void = pool.shutdown()
        async let second: Void = pool.shutdown()
        await until { gate.arrivals == 2 }
        gate.open()
        _ = await (first, second)
        #expect(done.withLockedValue { $0 } == 10)
        #expect(!pool.submit {})
        await #expect(throws: ServingError.notReady(reason: "the compute threads have stopped")) {
            try await pool.run { 1 }
        }
        await pool.shutdown()
    }
}
