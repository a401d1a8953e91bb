import Foundation
import Testing

@testable import Serving

struct ProcessorQuotaTests {
    private func quota(_ groups: String, _ files: [String: String]) throws -> Double? {
        let folder = try TemporaryFolder(files.mapValues { Data($0.utf8) })
        return ProcessorQuota.processorCount(groups: groups, root: folder.url.path)
    }

    @Test func `the quota of a container is that at the root of what it sees`() throws {
        #expect(try quota("0::/\n", ["cpu.max": "150000 100000\n"]) == 1.5)
        #expect(try quota("0::/kubepods/pod7\n", ["cpu.max": "200000 100000\n"]) == 2)
        #expect(try quota("0::/../..\n", ["cpu.max": "50000 100000\n"]) == 0.5)
    }

    @Test func `the smallest quota on the way to the root counts`() throws {
        let files = [
            "cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n",
            "a/b/c/cpu.max": "400000 100000\n", "other/cpu.max": "1000 100000\n",
        ]
        #expect(try quota("0::/a/b/c\n", files) == 3)
        #expect(try quota("0::/a/b/c/d/e\n", files) == 3)
        #expect(try quota("0::/\n", files) == nil)
    }

    @Test(arguments: ["cpu", "cpu,cpuacct"])
    func `quotas of the older hierarchy count, alone and beside the newer`(_ controllers: String) throws {
        let files = [
            "\(controllers)/cpu.cfs_quota_us": "-1\n", "\(controllers)/cpu.cfs_period_us": "100000\n",
            "\(controllers)/x/cpu.cfs_quota_us": "250000\n", "\(controllers)/x/cpu.cfs_period_us": "100000\n",
            "unified/cpu.max": "400000 100000\n",
        ]
        #expect(try quota("4:memory:/\n3:\(controllers):/x\n", files) == 2.5)
        #expect(try quota("3:\(controllers):/x\n0::/\n", files) == 2.5)
        #expect(try quota("3:\(controllers):/\n0::/\n", files) == 4)
        #expect(try quota("3:\(controllers):/\n", files) == nil)
    }

    @Test(arguments: [
        "", "max", "0 100000", "-5 100000", "100000 0", "nan 100000", "inf 1", "1e300 1", "1 2 3", "\u{0}",
    ])
    func `what makes no sense is no quota`(_ content: String) throws {
        #expect(try quota("0::/\n", ["cpu.max": content]) == nil)
        #expect(try quota("3:cpu:/\n", ["cpu/cpu.cfs_quota_us": content]) == nil)
        #expect(try quota(content, ["cpu.max": "100000 100000"]) == nil)
    }

    @Test func `there is a thread, and no more than processors`() {
        #expect((1...ProcessInfo.processInfo.activeProcessorCount).contains(ProcessorQuota.threadCount))
    }
}
