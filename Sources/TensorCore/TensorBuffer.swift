#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

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

    /// Blocks of so many bytes are asked for in pages of 2 MB, which takes less looking up of addresses.
    private static let hugeBytes = 4 << 20

    /// Uninitialized memory; nil if there is none.
    ///
    /// From `malloc` and aligned by hand: Swift's `allocate` calls `posix_memalign`, which passes over the thread's
    /// cache of freed blocks.
    init?(byteCount: Int) {
        guard let allocation = malloc(byteCount + Self.alignment) else { return nil }
        self.allocation = allocation
        if byteCount >= Self.hugeBytes { Self.adviseHugePages(allocation, byteCount) }
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
        free(allocation)
    }

    /// Takes effect where the system has it on request; elsewhere nothing happens.
    private static func adviseHugePages(_ start: UnsafeMutableRawPointer, _ byteCount: Int) {
        #if os(Linux)
            let page = sysconf(Int32(_SC_PAGESIZE))
            let first = start.alignedUp(toMultipleOf: page)
            madvise(first, (start + byteCount - first) / page * page, MADV_HUGEPAGE)
        #endif
    }
}
