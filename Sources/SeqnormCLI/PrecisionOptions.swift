public import ArgumentParser
import FoundationEssentials
public import Inference

/// In what numbers a model's products run; `SEQNORM_PRECISION` says it as well.
struct PrecisionOptions: ParsableArguments {
    @Option(help: "Numbers of products with constant weights: float32 or bf16. (default: float32)")
    var precision: Precision?

    /// The precision: flag, else the environment variable, else float32.
    ///
    /// - Parameter environment: The process's environment.
    /// - Returns: The precision, with where it comes from.
    /// - Throws: `ValidationError` (exit code 2) that names the variable and the rule.
    func setting(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Setting<Precision> {
        try Setting(
            "precision",
            flag: precision,
            environment: environment,
            default: .float32,
            rule: "float32 or bf16"
        )
    }
}

extension Precision: ExpressibleByArgument {}

extension Precision: LosslessStringConvertible {
    /// Reads `float32` or `bf16`; nil for anything else.
    ///
    /// - Parameter description: The word.
    public init?(_ description: String) { self.init(rawValue: description) }

    /// `float32` or `bf16`.
    public var description: String { rawValue }
}
