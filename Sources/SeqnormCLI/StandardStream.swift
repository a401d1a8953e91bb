import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard output or standard error; what cannot be written is dropped, as nobody is left to be told.
struct StandardStream: Sendable {
    /// Where answers go.
    static let output = StandardStream(descriptor: 1)
    /// Where everything goes that is no answer.
    static let error = StandardStream(descriptor: 2)

    private let descriptor: Int32

    /// Whether somebody watches.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// How many letters a line of the terminal holds; nil if it is none, or does not tell.
    var columns: Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes a text as it is.
    func write(_ text: String) {
        _ = try? FileDescriptor(rawValue: descriptor).writeAll(text.utf8)
    }

    /// Writes a line.
    func say(_ line: String) { write(line + "\n") }
}
