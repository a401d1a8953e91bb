#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many files and connections the process may hold open.
enum DescriptorLimit {
    /// What models, event loops and pages of the log take besides connections.
    static let reserve = 256

    /// Asks for as many as the connections allowed need, as far as the system lets it.
    ///
    /// - Parameter connections: The most connections open at once.
    /// - Returns: The limit that holds if it is below what was asked for; nil if there is enough.
    static func raise(for connections: Int) -> Int? {
        #if canImport(Darwin)
            let kind = RLIMIT_NOFILE
        #else
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        let wanted = rlim_t(connections + reserve)
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < wanted else { return nil }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        _ = setrlimit(kind, &limit)
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < wanted else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}
