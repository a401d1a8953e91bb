import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How much memory the process holds.
enum ResidentMemory {
    /// Bytes of memory in use, as the operating system counts them; nil where it does not tell.
    static var bytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * Int(getpagesize())
    }

    /// A number of bytes in MiB with one decimal.
    static func text(_ bytes: Int?) -> String {
        guard let bytes else { return "unknown" }
        let tenths = bytes / ((1 << 20) / 10)
        return "\(tenths / 10).\(tenths % 10) MiB"
    }
}
