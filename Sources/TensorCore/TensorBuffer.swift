#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A block of memory that tensors share; aligned to ``MemoryPool/alignment`` when it owns its memory.
///
/// Invariant that makes it `Sendable`: memory is written only by whoever holds the only reference to the
/// buffer (``Tensor`` checks that), so concurrent users only ever read.
final class TensorBuffer: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let owner: AnyObject?
    /// What is to be deallocated; nil for memory of another object or of the pool.
    private let allocation: UnsafeMutableRawPointer?

    /// Uninitialized memory; nil if there is none.
    ///
    /// Small blocks come from `malloc` and are aligned by hand: Swift's `allocate` calls `posix_memalign`, which passes
    /// over the thread's cache of freed blocks.
    init?(byteCount: Int) {
        owner = nil
        self.byteCount = byteCount
        if byteCount > MemoryPool.smallestBytes {
            guard let block = MemoryPool.shared.take(byteCount: byteCount) else { return nil }
            allocation = nil
            base = block
        } else {
            guard let block = malloc(byteCount + MemoryPool.alignment) else { return nil }
            allocation = block
            base = block.alignedUp(toMultipleOf: MemoryPool.alignment)
        }
    }

    /// Memory of another object, for example of a mapped file, which stays alive as long as the buffer.
    init(borrowing start: UnsafeRawPointer, byteCount: Int, from owner: AnyObject) {
        base = UnsafeMutableRawPointer(mutating: start)
        self.byteCount = byteCount
        self.owner = owner
        allocation = nil
    }

    var isOwned: Bool { owner == nil }

    deinit {
        if let allocation {
            free(allocation)
        } else if owner == nil {
            MemoryPool.shared.give(base, byteCount: byteCount)
        }
    }
}
