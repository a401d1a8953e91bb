import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A program that reads and says nothing.
enum SilentProgram {
    /// Runs a program with this one's environment, and waits for its end.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Without the program's name.
    /// - Returns: What went wrong; nil if it ended with 0.
    static func run(_ path: String, _ arguments: [String]) -> String? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        var process = pid_t()
        let code = withCStrings([path] + arguments) { arguments in
            withCStrings(environment) { posix_spawn(&process, path, &actions, nil, arguments, $0) }
        }
        guard code == 0 else { return "cannot be run: \(String(cString: strerror(code)).lowercased())" }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return "was lost: \(String(cString: strerror(errno)).lowercased())" }
        }
        if status & 0x7f != 0 { return "was ended by signal \(status & 0x7f)" }
        return status == 0 ? nil : "failed with \(status >> 8 & 0xff)"
    }

    /// Strings as C has lists of them, with a null at the end.
    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("a list has its null") }
            return body(start)
        }
    }
}
