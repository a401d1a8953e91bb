import TestSupport
import Testing

@testable import Serving

struct DeadlineTableTests {
    @Test(arguments: 0..<20)
    func `those whose time has come are handed out once, and no one before`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let start = ContinuousClock.now
        var table = DeadlineTable<Int, Int>()
        var waiting: [Int: Int] = [:]
        for now in 0..<500 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let deadline = now + .random(in: 0..<50, using: &random)
                table.insert(now, id: now, deadline: start + .seconds(deadline))
                waiting[now] = deadline
            case 2:
                guard let id = waiting.keys.min() else { continue }
                table.remove(id)
                waiting[id] = nil
            default:
                let due = waiting.filter { $0.value <= now }.keys
                #expect(Set(table.expire(now: start + .seconds(now))) == Set(due))
                for id in due { waiting[id] = nil }
            }
            #expect(table.count == waiting.count)
            let earliest = waiting.values.min().map { start + .seconds($0) }
            #expect((table.earliest == nil) == (earliest == nil))
            if let earliest, let known = table.earliest { #expect(known <= earliest) }
        }
    }
}
