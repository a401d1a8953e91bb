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
    let maxInflateRatio: Setting<Int>
    let compressionLevel: Setting<Int>

    /// Settles every option.
    ///
    /// - Parameters:
    ///   - options: What the command line said.
    ///   - environment: The process's environment.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(_ options: ConnectionOptions, environment: [String: String]) throws {
        func seconds(_ name: String, _ flag: Double?, _ standard: Double) throws -> Setting<Double> {
            try Setting(
                name,
                flag: flag,
                environment: environment,
                default: standard,
                rule: "a number of seconds in 0.001 ... 86400",
                where: (0.001...86400).contains
            )
        }
        idleTimeout = try seconds("idle-timeout", options.idleTimeout, 75)
        headerTimeout = try seconds("header-timeout", options.headerTimeout, 10)
        bodyTimeout = try seconds("body-timeout", options.bodyTimeout, 60)
        writeTimeout = try seconds("write-timeout", options.writeTimeout, 60)
        maxInflateRatio = try Setting(
            "max-inflate-ratio",
            flag: options.maxInflateRatio,
            environment: environment,
            default: 100,
            rule: "an integer in 1 ... 1000000",
            where: (1...1_000_000).contains
        )
        compressionLevel = try Setting(
            "compression-level",
            flag: options.compressionLevel,
            environment: environment,
            default: 1,
            rule: "an integer in 0 ... 9",
            where: (0...9).contains
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
        configuration.maxInflateRatio = maxInflateRatio.value
        configuration.compressionLevel = compressionLevel.value
    }

    /// Every option with its value and where it came from.
    var summary: String {
        [
            idleTimeout.summary, headerTimeout.summary, bodyTimeout.summary, writeTimeout.summary,
            maxInflateRatio.summary, compressionLevel.summary,
        ].joined(separator: " ")
    }
}
