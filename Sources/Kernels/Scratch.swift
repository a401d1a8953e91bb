/// Uninitialized floats, aligned to a cache line, for the time of a call.
@inline(__always)
func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: max(count, 1) * MemoryLayout<Float>.size, alignment: 64) {
        bytes in
        guard let start = bytes.baseAddress else { return }
        body(start.assumingMemoryBound(to: Float.self))
    }
}
