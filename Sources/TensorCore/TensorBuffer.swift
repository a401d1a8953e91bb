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

    /// Uninitialized memory.
    init(byteCount: Int) {
        base = .allocate(byteCount: max(byteCount, 1), alignment: Self.alignment)
        self.byteCount = byteCount
        owner = nil
    }

    /// Memory of another object, for example of a mapped file, which stays alive as long as the buffer.
    init(borrowing start: UnsafeRawPointer, byteCount: Int, from owner: AnyObject) {
        base = UnsafeMutableRawPointer(mutating: start)
        self.byteCount = byteCount
        self.owner = owner
    }

    var isOwned: Bool { owner == nil }

    deinit {
        if owner == nil { base.deallocate() }
    }
}
