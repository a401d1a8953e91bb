import ArgumentParser

/// One option of a command that an environment variable can set as well: flag, else variable, else default.
struct Setting<Value: LosslessStringConvertible & Sendable>: Sendable {
    /// The option's long name, `drain-delay`; its variable is `SEQNORM_DRAIN_DELAY`.
    let name: String
    /// What holds in the end.
    let value: Value
    /// Where the value came from.
    let source: Source

    /// Where a setting's value came from.
    enum Source: String, Sendable {
        case flag, environment
        case standard = "default"
    }

    /// Resolves one option.
    ///
    /// - Parameters:
    ///   - name: The option's long name, in lower case with hyphens.
    ///   - flag: What the command line said, if anything.
    ///   - environment: The process's environment.
    ///   - standard: The default.
    ///   - rule: The rule in words, for the error message.
    ///   - isValid: The rule for a value.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(
        _ name: String,
        flag: Value?,
        environment: [String: String],
        default standard: Value,
        rule: String,
        where isValid: (Value) -> Bool = { _ in true }
    ) throws {
        self.name = name
        let variable =
            "SEQNORM_"
            + name.uppercased().split(separator: "-", omittingEmptySubsequences: false).joined(separator: "_")
        let origin: String
        if let flag {
            (value, source, origin) = (flag, .flag, "--\(name)")
        } else if let text = environment[variable], !text.isEmpty {
            guard let parsed = Value(text) else { throw ValidationError("\(variable) must be \(rule)") }
            (value, source, origin) = (parsed, .environment, variable)
        } else {
            (value, source, origin) = (standard, .standard, "--\(name)")
        }
        guard isValid(value) else { throw ValidationError("\(origin) must be \(rule)") }
    }

    /// As the effective configuration prints it: `port=8080 (default)`.
    var summary: String { "\(name)=\(value) (\(source.rawValue))" }
}
