import Foundation
import Logging
import NIOConcurrencyHelpers
import Testing

@testable import SeqnormCLI

struct LogTests {
    @Test func `a line of the log is one JSON object`() throws {
        let lines = NIOLockedValueBox<[String]>([])
        var logger = Logger(label: "seqnorm") { label in
            JSONLogHandler(label: label) { line in lines.withLockedValue { $0.append(line) } }
        }
        logger[metadataKey: "request_id"] = "r\u{1}-1"
        logger.info("a \"quoted\"\nmessage\t\\", metadata: ["level": "7", "list": ["a", "b"]])
        logger.debug("not at this level")
        #expect(lines.withLockedValue { $0.count } == 1)
        let line = try #require(lines.withLockedValue { $0.first })
        #expect(!line.contains("\n"))
        let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
        #expect(object["message"] == "a \"quoted\"\nmessage\t\\")
        #expect(object["level"] == "info" && object["level_"] == "7" && object["logger"] == "seqnorm")
        #expect(object["request_id"] == "r\u{1}-1")
        let time = try #require(object["time"])
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/) != nil)
    }

    @Test(arguments: [
        (Logger.Level.info, [Logger.Level.debug, .info, .debug]), (.warning, [.debug, .warning]),
        (.debug, [.info, .debug, .info]), (.trace, [.debug, .trace]),
    ])
    func `the level goes to debug and back`(configured: Logger.Level, expected: [Logger.Level]) {
        let level = LogLevel(configured)
        #expect(level.current == configured)
        #expect(expected.map { _ in level.toggle() } == expected)
    }

    @Test func `every log follows the level of the process`() {
        let lines = NIOLockedValueBox<[String]>([])
        let level = LogLevel(.info)
        let logger = Logger(label: "l") { label in
            LevelledLogHandler(
                JSONLogHandler(label: label) { line in lines.withLockedValue { $0.append(line) } },
                level: level
            )
        }
        logger.debug("too quiet")
        _ = level.toggle()
        logger.debug("heard")
        _ = level.toggle()
        logger.debug("too quiet again")
        #expect(lines.withLockedValue { $0.count } == 1)
    }
}
