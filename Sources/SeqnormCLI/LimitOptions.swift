import ArgumentParser
import FoundationEssentials
import ONNXGraph

/// What a model may ask for; each can be given as an environment variable as well.
struct LimitOptions: ParsableArguments {
    @Option(help: "How deep a model's subgraphs may be nested, at most 64. (default: 32)")
    var maxNestingDepth: Int?
    @Option(help: "The most nodes of a model, subgraphs and called functions included. (default: 200000)")
    var maxNodes: Int?
    @Option(help: "The most bytes of one tensor, in the file or in a run. (default: 1073741824)")
    var maxTensorBytes: Int?
    @Option(help: "The most iterations of all loops and scans of one run. (default: 4194304)")
    var maxLoopTrips: Int?
    @Option(help: "The most bytes of the scan outputs of one loop or scan. (default: 1073741824)")
    var maxScanOutputBytes: Int?
    @Option(help: "How many calls deep functions may call one another, at most 64. (default: 32)")
    var maxFunctionDepth: Int?
    @Option(
        help: "The most bytes of nodes and names that come from functions put in place. (default: 67108864)"
    )
    var maxInlinedBytes: Int?

    /// The limits: flag, else environment variable, else default.
    ///
    /// - Parameter environment: The process's environment.
    /// - Returns: The limits.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    func limits(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ModelLimits { try LimitSettings(self, environment: environment).limits }
}

/// The limits that hold, each with where it came from.
struct LimitSettings: Sendable {
    let maxNestingDepth: Setting<Int>
    let maxNodes: Setting<Int>
    let maxTensorBytes: Setting<Int>
    let maxLoopTrips: Setting<Int>
    let maxScanOutputBytes: Setting<Int>
    let maxFunctionDepth: Setting<Int>
    let maxInlinedBytes: Setting<Int>

    /// Settles every limit.
    ///
    /// - Parameters:
    ///   - options: What the command line said.
    ///   - environment: The process's environment.
    /// - Throws: `ValidationError` (exit code 2) that names the flag or variable and the rule.
    init(_ options: LimitOptions, environment: [String: String]) throws {
        let read = SettingReader(environment)
        let standard = ModelLimits.standard
        maxNestingDepth = try read.count(
            "max-nesting-depth",
            options.maxNestingDepth,
            default: standard.nestingDepth,
            in: 0...ModelLimits.deepestNesting
        )
        maxNodes = try read.count("max-nodes", options.maxNodes, default: standard.nodes, in: 1...(1 << 24))
        let bytes = 1...(1 << 40)
        maxTensorBytes = try read.count(
            "max-tensor-bytes",
            options.maxTensorBytes,
            default: standard.tensorBytes,
            in: bytes
        )
        maxLoopTrips = try read.count(
            "max-loop-trips",
            options.maxLoopTrips,
            default: standard.loopTrips,
            in: 0...(1 << 40)
        )
        maxScanOutputBytes = try read.count(
            "max-scan-output-bytes",
            options.maxScanOutputBytes,
            default: standard.scanOutputBytes,
            in: bytes
        )
        maxFunctionDepth = try read.count(
            "max-function-depth",
            options.maxFunctionDepth,
            default: standard.functionDepth,
            in: 0...ModelLimits.deepestNesting
        )
        maxInlinedBytes = try read.count(
            "max-inlined-bytes",
            options.maxInlinedBytes,
            default: standard.inlinedBytes,
            in: bytes
        )
    }

    var limits: ModelLimits {
        ModelLimits(
            nestingDepth: maxNestingDepth.value,
            nodes: maxNodes.value,
            tensorBytes: maxTensorBytes.value,
            loopTrips: maxLoopTrips.value,
            scanOutputBytes: maxScanOutputBytes.value,
            functionDepth: maxFunctionDepth.value,
            inlinedBytes: maxInlinedBytes.value
        )
    }

    /// Every limit with its value and where it came from.
    var summary: String {
        [
            maxNestingDepth, maxNodes, maxTensorBytes, maxLoopTrips, maxScanOutputBytes, maxFunctionDepth,
            maxInlinedBytes,
        ]
        .map(\.summary).joined(separator: " ")
    }
}
