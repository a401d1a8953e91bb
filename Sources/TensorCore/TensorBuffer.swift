/// A block of memory that tensors share; aligned to ``alignment`` when it owns its memory.
///
/// Invariant that makes it `Sendable`: memory is written only by whoever holds the only reference to the
/// buffer (``Tensor`` checks that), so concurrent users only ever read.
final class TensorBuffer: @unchecked Sendable {
    /// A cache line, and the widest vector register.
    static let alignment = 64

    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let owner: AnyObject?
    /// What is to be deallocated; nil for memory of another object.
    private let allocation: UnsafeMutableRawPointer?

    /// Uninitialized memory.
    ///
    /// Aligned by hand: `posix_memalign` passes over the thread's cache of freed blocks, which `malloc` uses.
    init(byteCount: Int) {
        let allocation = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount + Self.alignment,
            alignment: MemoryLayout<Int>.alignment
        )
        self.allocation = allocation
        base = allocation.alignedUp(toMultipleOf: Self.alignment)
        self.byteCount = byteCount
        owner = nil
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
        allocation?.deallocate()
    }
}
