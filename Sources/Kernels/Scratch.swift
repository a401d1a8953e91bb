internal import TensorCore

/// Uninitialized floats, aligned to a cache line, for the time of a call.
@inline(__always)
func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let byteCount = max(count, 1) * MemoryLayout<Float>.size
    if byteCount > MemoryPool.smallestBytes, let block = MemoryPool.shared.take(byteCount: byteCount) {
        body(block.assumingMemoryBound(to: Float.self))
        return MemoryPool.shared.give(block, byteCount: byteCount)
    }
    withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 64) { bytes in
        guard let start = bytes.baseAddress else { return }
        body(start.assumingMemoryBound(to: Float.self))
    }
}
