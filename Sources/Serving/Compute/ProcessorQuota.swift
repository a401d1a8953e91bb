import FoundationEssentials

/// The time on processors that a process has by its control groups, as a container with a limit has.
///
/// - SeeAlso: Linux, `Documentation/admin-guide/cgroup-v2.rst` (`cpu.max`) and `scheduler/sched-bwc.rst` (`cpu.cfs_quota_us`).
public enum ProcessorQuota {
    /// How many threads can compute at once: one a processor that the process may run on, no more than its quota, rounded up.
    ///
    /// More threads would use the quota up early in each period, and all of them would then stand still to its end.
    public static var threadCount: Int {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let groups = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
        guard let quota = processorCount(groups: groups ?? "", root: "/sys/fs/cgroup") else {
            return processors
        }
        return max(1, min(processors, Int(quota.rounded(.up))))
    }

    /// The smallest quota of a process's groups and of those around them, in processors.
    ///
    /// - Parameters:
    ///   - groups: What `/proc/self/cgroup` says.
    ///   - root: Where the file systems of control groups are mounted.
    /// - Returns: Above 0, at most 2^20; nil if there is none.
    static func processorCount(groups: String, root: String) -> Double? {
        var quotas: [Double] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let path = fields[2].split(separator: "/").filter { $0 != ".." }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu") else { continue }
            for mount in isUnified ? ["", "/unified"] : ["/cpu", "/\(fields[1])"] {
                // Of a group that is not mounted here, as in a container, the one at the root is its own.
                for depth in 0...path.count {
                    let folder = ([root + mount] + path.prefix(depth).map(String.init)).joined(separator: "/")
                    quotas += [isUnified ? unified(folder) : legacy(folder)].compactMap { $0 }
                }
            }
        }
        return quotas.min()
    }

    private static func unified(_ folder: String) -> Double? {
        guard let words = words(folder + "/cpu.max"), words.count == 2 else { return nil }
        return share(words[0], of: words[1])
    }

    private static func legacy(_ folder: String) -> Double? {
        guard let quota = words(folder + "/cpu.cfs_quota_us")?.first,
            let period = words(folder + "/cpu.cfs_period_us")?.first
        else { return nil }
        return share(quota, of: period)
    }

    private static func share(_ quota: Substring, of period: Substring) -> Double? {
        guard let quota = Double(quota), let period = Double(period), quota > 0, period > 0,
            quota / period <= Double(1 << 20)
        else { return nil }
        return quota / period
    }

    private static func words(_ file: String) -> [Substring]? {
        try? String(contentsOfFile: file, encoding: .utf8).split { $0.isWhitespace }
    }
}
