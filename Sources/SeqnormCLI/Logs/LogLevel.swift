import Dispatch
import Glibc
import Logging
import NIOConcurrencyHelpers

/// The level that all logs of the process follow, changed while it runs.
final class LogLevel: Sendable {
    /// The level the process was started with.
    let configured: Logger.Level
    private let level: NIOLockedValueBox<Logger.Level>

    /// A level.
    ///
    /// - Parameter configured: Holds until ``toggle()``.
    init(_ configured: Logger.Level) {
        self.configured = configured
        level = NIOLockedValueBox(configured)
    }

    /// The level of now.
    var current: Logger.Level { level.withLockedValue { $0 } }

    /// Goes to debug, and from there back to the level the process was started with (`info` if that is debug).
    ///
    /// - Returns: The new level.
    func toggle() -> Logger.Level {
        level.withLockedValue { level in
            if level == .debug {
                level = configured == .debug ? .info : configured
            } else {
                level = .debug
            }
            return level
        }
    }

    /// Toggles whenever the process gets SIGUSR1.
    ///
    /// - Parameter logger: Is told of every change.
    /// - Returns: What listens, as long as it is held.
    func toggleOnSignal(_ logger: Logger) -> any DispatchSourceSignal {
        Glibc.signal(SIGUSR1, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGUSR1, queue: .global())
        source.setEventHandler { [self] in
            let level = toggle()
            logger.critical("log level is \(level) now")
        }
        source.resume()
        return source
    }
}

/// A log that follows a level the process can change.
struct LevelledLogHandler: LogHandler {
    private var handler: any LogHandler
    private let level: LogLevel

    /// A log.
    ///
    /// - Parameters:
    ///   - handler: Writes the lines.
    ///   - level: What is written.
    init(_ handler: any LogHandler, level: LogLevel) {
        self.handler = handler
        self.level = level
        self.handler.logLevel = .trace
    }

    var logLevel: Logger.Level {
        get { level.current }
        // One level holds for all logs of the process.
        set {}
    }
    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { handler.log(event: event) }
}
