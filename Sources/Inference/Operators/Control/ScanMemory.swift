/// Buffers for the results of one step's operations; one that nobody reads any more is given out again.
final class ScanMemory {
    private struct Buffer {
        let start: UnsafeMutablePointer<Float>
        let capacity: Int
        var owner: PlanGraph.ValueID?
    }

    private var buffers: [Buffer] = []
    private var indices: [UnsafeMutablePointer<Int>] = []

    func take(_ count: Int, for owner: PlanGraph.ValueID) -> UnsafeMutablePointer<Float> {
        if let free = buffers.firstIndex(where: { $0.owner == nil && $0.capacity == count }) {
            buffers[free].owner = owner
            return buffers[free].start
        }
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Float>.size,
            alignment: 64
        )
        let start = bytes.bindMemory(to: Float.self, capacity: count)
        buffers.append(Buffer(start: start, capacity: count, owner: owner))
        return start
    }

    func release(_ isDead: (PlanGraph.ValueID) -> Bool) {
        for index in buffers.indices {
            if let owner = buffers[index].owner, isDead(owner) { buffers[index].owner = nil }
        }
    }

    /// The row that each step reads, in memory that stays.
    func keep(_ index: [Int]) -> UnsafePointer<Int> {
        let start = UnsafeMutablePointer<Int>.allocate(capacity: max(index.count, 1))
        start.initialize(from: index, count: index.count)
        indices.append(start)
        return UnsafePointer(start)
    }

    deinit {
        for start in indices { start.deallocate() }
        for buffer in buffers { buffer.start.deallocate() }
    }
}
