import ArgumentParser
import HTTPServer

/// How long clients may take, and what compression may cost; each can be given as an environment variable as well.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "Seconds a connection may rest between two requests. (default: 75)")
    var idleTimeout: Double?
    @Option(help: "Seconds until the head of a request must be there. (default: 10)")
    var headerTimeout: Double?
    @Option(help: "Seconds until a body must be there, or 64 KiB more of it. (default: 60)")
    var bodyTimeout: Double?
    @Option(help: "Seconds until a client must have taken an answer, or 64 KiB more of it. (default: 60)")
    var writeTimeout: Double?
    @Option(help: "Whether HTTP/2 is spoken with clients that ask for it: true or false. (default: true)")
    var http2: Bool?
    @Option(help: "The most requests of one HTTP/2 connection at once. (default: 100)")
    var maxConcurrentStreams: Int?
    @Option(help: "How many times its size a compressed body may become. (default: 100)")
    var maxInflateRatio: Int?
    @Option(help: "How hard answers are compressed where asked for, 1 to 9; 0: not at all. (default: 1)")
    var compressionLevel: Int?
}

/// What holds, each with where it came from.
struct ConnectionSettings: Sendable {
    let idleTimeout: Setting<Double>
    let headerTimeout: Setting<Double>
    let bodyTimeout: Setting<Double>
    let writeTimeout: Setting<Double>
    let http2: Setting<Bool>
    let maxConcurrentStreams: Setting<Int>
    let maxInflateRatio: Setting<Int>
    let compressionLevel: Setting<Int>

    /// Settles every option.
    ///
    /// - Parameters:
    ///   - options: What the command line said.
    ///   - environment: The process's environment.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(_ options: ConnectionOptions, environment: [String: String]) throws {
        let read = SettingReader(environment)
        idleTimeout = try read.seconds("idle-timeout", options.idleTimeout, default: 75)
        headerTimeout = try read.seconds("header-timeout", options.headerTimeout, default: 10)
        bodyTimeout = try read.seconds("body-timeout", options.bodyTimeout, default: 60)
        writeTimeout = try read.seconds("write-timeout", options.writeTimeout, default: 60)
        http2 = try read.flag("http2", options.http2, default: true)
        maxConcurrentStreams = try read.count(
            "max-concurrent-streams",
            options.maxConcurrentStreams,
            default: 100,
            in: 1...65536
        )
        maxInflateRatio = try read.count(
            "max-inflate-ratio",
            options.maxInflateRatio,
            default: 100,
            in: 1...1_000_000
        )
        compressionLevel = try read.count(
            "compression-level",
            options.compressionLevel,
            default: 1,
            in: 0...9
        )
    }

    /// Sets what concerns connections.
    ///
    /// - Parameter configuration: Is changed.
    func apply(to configuration: inout ServerConfiguration) {
        configuration.idleTimeout = .seconds(idleTimeout.value)
        configuration.headerTimeout = .seconds(headerTimeout.value)
        configuration.bodyTimeout = .seconds(bodyTimeout.value)
        configuration.writeTimeout = .seconds(writeTimeout.value)
        configuration.speaksHTTP2 = http2.value
        configuration.maxConcurrentStreams = maxConcurrentStreams.value
        configuration.maxInflateRatio = maxInflateRatio.value
        configuration.compressionLevel = compressionLevel.value
    }

    /// Every option with its value and where it came from.
    var summary: String {
        [
            idleTimeout.summary, headerTimeout.summary, bodyTimeout.summary, writeTimeout.summary,
            http2.summary, maxConcurrentStreams.summary, maxInflateRatio.summary, compressionLevel.summary,
        ].joined(separator: " ")
    }
}
