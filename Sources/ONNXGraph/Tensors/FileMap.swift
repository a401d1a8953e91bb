#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A part of a file in memory, read when it is touched and given up again when memory is short.
///
/// The file must not become shorter as long as the map lives: touching what is gone ends the process. One that is
/// replaced by renaming another over it stays as it was.
///
/// Invariant that makes it `Sendable`: the memory is read-only.
final class FileMap: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let start: UnsafeMutableRawPointer
    private let length: Int

    /// Nil if the system refuses.
    ///
    /// - Parameters:
    ///   - descriptor: The open file; may be closed afterwards.
    ///   - offset: The first byte, at least 0.
    ///   - count: At least 1; all have to be in the file.
    init?(_ descriptor: Int32, offset: Int, count: Int) {
        let before = offset % sysconf(Int32(_SC_PAGESIZE))
        length = before + count
        let map = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset - before))
        guard let map, map != MAP_FAILED else { return nil }
        start = map
        bytes = UnsafeRawBufferPointer(start: map + before, count: count)
    }

    deinit { munmap(start, length) }
}
