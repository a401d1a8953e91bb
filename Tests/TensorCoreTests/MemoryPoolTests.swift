import Testing

@testable import TensorCore

struct MemoryPoolTests {
    private let least = MemoryPool.smallestBytes

    @Test func `a class holds the size it is for and at most a quarter more`() {
        for byteCount in Array(least + 1...4 * least) + [1 << 20, (1 << 20) + 1, 3 << 28, (3 << 28) - 1] {
            let rounded = MemoryPool.byteCount(ofClass: MemoryPool.classIndex(byteCount))
            #expect(rounded >= byteCount && rounded - byteCount <= byteCount / 4)
        }
        #expect(MemoryPool.classIndex(least + 1) == 0)
        for index in 0..<60 {
            #expect(MemoryPool.classIndex(MemoryPool.byteCount(ofClass: index)) == index)
            #expect(MemoryPool.classIndex(MemoryPool.byteCount(ofClass: index) + 1) == index + 1)
        }
    }

    @Test func `a block that was given back is taken again, by who asks for about as much`() throws {
        let pool = MemoryPool(keptBytes: 1 << 20)
        let first = try #require(pool.take(byteCount: 100_000))
        #expect(UInt(bitPattern: first) % 64 == 0 && pool.unusedBytes == 0)
        pool.give(first, byteCount: 100_000)
        #expect(pool.unusedBytes >= 100_000)
        let other = try #require(pool.take(byteCount: 50_000))
        let second = try #require(pool.take(byteCount: 99_000))
        #expect(second == first && other != first && pool.unusedBytes == 0)
        pool.give(second, byteCount: 99_000)
        pool.give(other, byteCount: 50_000)
    }

    @Test func `no more is kept than the limit, and what was asked for last stays`() throws {
        let (limit, size, others) = (256 << 10, 64 << 10, [20 << 10, 40 << 10, 80 << 10])
        let pool = MemoryPool(keptBytes: limit)
        for other in others {
            let blocks = try (0..<16).map { _ in try #require(pool.take(byteCount: other)) }
            for block in blocks {
                pool.give(block, byteCount: other)
                #expect(pool.unusedBytes <= limit)
            }
            #expect(pool.unusedBytes > limit - 80 << 10)
        }
        let blocks = try (0..<4).map { _ in try #require(pool.take(byteCount: size)) }
        for block in blocks { pool.give(block, byteCount: size) }
        #expect(pool.unusedBytes == 4 * size)
        pool.empty()
        #expect(pool.unusedBytes == 0)
    }

    @Test(arguments: [0, 1, 100, 16 << 10, 600 << 10, 8 << 20])
    func `what is too small or too large is not kept`(byteCount: Int) throws {
        let pool = MemoryPool(keptBytes: 1 << 20)
        let block = try #require(pool.take(byteCount: byteCount))
        #expect(UInt(bitPattern: block) % 64 == 0)
        pool.give(block, byteCount: byteCount)
        #expect(pool.unusedBytes == 0)
    }

    @Test func `memory that there is not is nil`() {
        #expect(MemoryPool(keptBytes: 1 << 20).take(byteCount: 1 << 62) == nil)
        #expect(MemoryPool(keptBytes: Int.max).take(byteCount: 1 << 61) == nil)
    }

    @Test func `threads that take and give at once never hold the same block`() async {
        let pool = MemoryPool(keptBytes: 1 << 20)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<2000).allSatisfy { round in
                        let byteCount = (17 + (round * 7 + task) % 50) << 10
                        guard let block = pool.take(byteCount: byteCount) else { return false }
                        let last = byteCount / 8 - 1
                        let mark = UInt64(task << 32 | round)
                        block.storeBytes(of: mark, as: UInt64.self)
                        block.storeBytes(of: mark, toByteOffset: last * 8, as: UInt64.self)
                        defer { pool.give(block, byteCount: byteCount) }
                        return block.load(as: UInt64.self) == mark
                            && block.load(fromByteOffset: last * 8, as: UInt64.self) == mark
                    }
                }
            }
            for await isAlone in group { #expect(isAlone) }
        }
    }
}
