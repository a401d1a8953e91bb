internal import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Freed blocks of memory, kept for whoever next asks for about as much.
///
/// A system's allocator gives large blocks back as they are freed, and the next run pays a page fault, and the zeroing of
/// a page, for every 4 KB again: up to a quarter of a run's time. Here a block is handed on as it is.
///
/// Sizes are rounded up to four classes an octave, so that runs of ever-new shapes find each other's blocks. What is kept
/// unused has a limit; the class that was not asked for the longest gives way first.
public final class MemoryPool: Sendable {
    /// The pool of all tensors; keeps at most 128 MB that are not in use.
    public static let shared = MemoryPool(keptBytes: 128 << 20)

    /// A cache line, and the widest vector register.
    static let alignment = 64
    /// Blocks of no more than that are left to the system, whose allocator is good at them.
    public static let smallestBytes = 16 << 10
    /// Blocks from here on lie in pages of 2 MB where the system has them on request: less looking up of addresses.
    private static let hugeBytes = 4 << 20
    private static let hugePage = 2 << 20

    /// Classes of 5, 6, 7 and 8 quarters of `smallestBytes`, of twice that, and so on.
    private static let classesPerOctave = 4

    private struct Class: Sendable {
        var blocks: [UInt] = []
        var lastUse: UInt64 = 0
    }

    private struct State: Sendable {
        var classes: [Class]
        var bytes = 0
        var uses: UInt64 = 0

        /// A block of the class, if one is kept.
        mutating func take(_ index: Int) -> UInt? {
            uses += 1
            classes[index].lastUse = uses
            guard let block = classes[index].blocks.popLast() else { return nil }
            bytes -= MemoryPool.byteCount(ofClass: index)
            return block
        }

        /// Keeps a block; those that have to go for it.
        mutating func keep(_ block: UInt, _ index: Int, limit: Int) -> [UInt] {
            classes[index].blocks.append(block)
            bytes += MemoryPool.byteCount(ofClass: index)
            guard bytes > limit else { return [] }
            var gone: [UInt] = []
            while bytes > limit {
                let kept = classes.indices.filter { !classes[$0].blocks.isEmpty }
                guard let oldest = kept.min(by: { classes[$0].lastUse < classes[$1].lastUse }) else { break }
                gone.append(classes[oldest].blocks.removeLast())
                bytes -= MemoryPool.byteCount(ofClass: oldest)
            }
            return gone
        }
    }

    private let keptBytes: Int
    private let largestBytes: Int
    private let state: NIOLockedValueBox<State>

    /// A pool of its own.
    ///
    /// - Parameter keptBytes: The most bytes of blocks that nobody uses. Blocks of more than half of that are not kept.
    public init(keptBytes: Int) {
        self.keptBytes = keptBytes
        largestBytes = keptBytes / 2
        let count = keptBytes > Self.smallestBytes ? Self.classIndex(keptBytes) + 1 : 0
        state = NIOLockedValueBox(State(classes: [Class](repeating: Class(), count: count)))
    }

    deinit { empty() }

    /// How many bytes are kept that nobody uses.
    public var unusedBytes: Int { state.withLockedValue { $0.bytes } }

    /// A block of undefined content, aligned to 64 bytes.
    ///
    /// - Parameter byteCount: At least 0.
    /// - Returns: The block, for ``give(_:byteCount:)`` in the end; nil if there is no memory.
    /// - Complexity: O(1); some 20 ns for a block that was kept.
    public func take(byteCount: Int) -> UnsafeMutableRawPointer? {
        guard let index = index(byteCount) else { return Self.allocate(byteCount) }
        if let kept = state.withLockedValue({ $0.take(index) }) {
            return UnsafeMutableRawPointer(bitPattern: kept)
        }
        let rounded = Self.byteCount(ofClass: index)
        if let new = Self.allocate(rounded) { return new }
        empty()
        return Self.allocate(rounded)
    }

    /// Takes back a block, which nobody may use from now on.
    ///
    /// - Parameters:
    ///   - block: What ``take(byteCount:)`` returned.
    ///   - byteCount: What it was asked for.
    public func give(_ block: UnsafeMutableRawPointer, byteCount: Int) {
        guard let index = index(byteCount) else { return free(block) }
        let gone = state.withLockedValue { $0.keep(UInt(bitPattern: block), index, limit: keptBytes) }
        for each in gone { free(UnsafeMutableRawPointer(bitPattern: each)) }
    }

    /// Returns to the system what nobody uses.
    public func empty() {
        let gone = state.withLockedValue { state in
            let blocks = state.classes.flatMap(\.blocks)
            for index in state.classes.indices { state.classes[index].blocks = [] }
            state.bytes = 0
            return blocks
        }
        for each in gone { free(UnsafeMutableRawPointer(bitPattern: each)) }
    }

    /// The class that blocks of a size are taken from; nil if the pool does not keep such.
    private func index(_ byteCount: Int) -> Int? {
        guard byteCount > Self.smallestBytes, byteCount <= largestBytes else { return nil }
        return Self.classIndex(byteCount)
    }

    /// The smallest class whose blocks hold so many bytes, more than `smallestBytes`.
    static func classIndex(_ byteCount: Int) -> Int {
        let quarter = (Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount) - 2
        let octave = quarter + 2 - smallestBytes.trailingZeroBitCount
        return octave * classesPerOctave + (byteCount - 1) >> quarter - classesPerOctave
    }

    /// The size of a class's blocks.
    static func byteCount(ofClass index: Int) -> Int {
        (smallestBytes / classesPerOctave) << (index / classesPerOctave)
            * (classesPerOctave + 1 + index % classesPerOctave)
    }

    private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        var block: UnsafeMutableRawPointer?
        guard posix_memalign(&block, alignment, max(byteCount, 1)) == 0, let block else { return nil }
        #if os(Linux)
            if byteCount >= hugeBytes {
                let first = block.alignedUp(toMultipleOf: hugePage)
                madvise(first, (block + byteCount - first) / hugePage * hugePage, MADV_HUGEPAGE)
            }
        #endif
        return block
    }
}
