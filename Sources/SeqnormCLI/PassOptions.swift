public import ArgumentParser
import FoundationEssentials
public import Inference

/// Which of the planner's passes are left out; `SEQNORM_DISABLE_PASS` holds them as well, separated by commas.
struct PassOptions: ParsableArguments {
    @Option(
        name: .customLong("disable-pass"),
        help: ArgumentHelp(
            "A pass of the planner to leave out; may be given several times. (default: none)",
            valueName: "pass"
        )
    )
    var disabled: [PassName] = []

    /// The passes that are left out: flags, else the environment variable, else none.
    ///
    /// - Parameter environment: The process's environment.
    /// - Returns: The passes, with where they come from.
    /// - Throws: `ValidationError` (exit code 2) that names the variable and all passes.
    func setting(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Setting<PassList> {
        try Setting(
            "disable-pass",
            flag: disabled.isEmpty ? nil : PassList(Set(disabled)),
            environment: environment,
            default: PassList([]),
            rule: "some of \(PassName.allCases.map(\.rawValue).joined(separator: ", "))"
        )
    }
}

/// Passes as a variable and the effective configuration write them: `gelu-fusion,packing`, or `none`.
struct PassList: LosslessStringConvertible, Sendable {
    let passes: Set<PassName>

    init(_ passes: Set<PassName>) { self.passes = passes }

    init?(_ description: String) {
        guard description != "none" else {
            self.init([])
            return
        }
        let names = description.split(separator: ",", omittingEmptySubsequences: false)
        let passes = names.compactMap { PassName(rawValue: String($0)) }
        guard passes.count == names.count else { return nil }
        self.init(Set(passes))
    }

    var description: String {
        let names = PassName.allCases.filter(passes.contains).map(\.rawValue)
        return names.isEmpty ? "none" : names.joined(separator: ",")
    }
}

extension PassName: ExpressibleByArgument {}
