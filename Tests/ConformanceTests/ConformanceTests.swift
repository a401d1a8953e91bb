import Foundation
import Testing

/// ONNX's own suite against the manifest, which must say of every case what is true of it.
struct ConformanceTests {
    private let run: ConformanceRun

    init() throws {
        try #require(
            FileManager.default.fileExists(
                atPath: ConformanceCase.root.appendingPathComponent("version").path
            ),
            "ONNX's cases are not there; scripts/fetch-onnx-suite fetches them"
        )
        run = try ConformanceRun.shared.get()
    }

    @Test func `every case does what the manifest says`() throws {
        if ProcessInfo.processInfo.environment["SEQNORM_UPDATE_MANIFEST"] == "1" { try Manifest.write(run) }
        var unseen = try Manifest().verdicts
        for outcome in run.outcomes {
            switch (unseen.removeValue(forKey: outcome.name), outcome.failure) {
            case (.pass, nil), (.skip, .some): break
            case (.pass, let failure?): Issue.record("\(outcome.name) should pass: \(failure)")
            case (.skip, nil): Issue.record("\(outcome.name) passes, but the manifest skips it")
            case (nil, _): Issue.record("\(outcome.name) is not in the manifest")
            }
        }
        #expect(unseen.keys.sorted() == [], "the manifest names cases that do not exist")
        print(run.table)
    }

    @Test func `the suite is whole`() { #expect(run.outcomes.count == 1905) }
}
