import FoundationEssentials
import Freezing
import Inference
import ONNXGraph
import Reporting
import Safetensors
import Statistics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One run of `seqnorm freeze`.
struct FreezeJob {
    private let command: FreezeCommand
    private let interruption: Interruption
    private let place: ModelArgument
    private let signature: Result<Signature, SignatureError>
    private let plan: FreezePlan
    private let modelDigest: String

    /// Reads the model and finds its statistics.
    ///
    /// - Parameters:
    ///   - command: The options.
    ///   - interruption: Ends the work.
    /// - Throws: A ``CommandFault`` of an output's folder or of the model.
    init(command: FreezeCommand, interruption: Interruption) throws {
        self.command = command
        self.interruption = interruption
        place = try ModelArgument(path: command.model)
        if !command.dryRun {
            let outputs = [command.output, command.partial].compactMap(\.self) + command.reports.paths
            try OutputFiles.check(outputs)
            let inputs =
                (command.recalibrate ? [] : [place.file.path]) + [command.batches.data].compactMap(\.self)
            let names = Set(inputs.map(OutputFiles.canonical))
            for path in outputs where names.contains(OutputFiles.canonical(path)) {
                throw CommandFault(place: path, reason: "would be overwritten, and it is read here")
            }
        }
        let limits = try command.limits.limits()
        let bytes = try place.bytes()
        modelDigest = Digest.sha256Hex(bytes)
        let options = FreezeOptions(
            estimator: command.estimator,
            tail: command.tail,
            padding: command.padding,
            statistics: command.statistic,
            findsPatterns: !command.noPatterns
        )
        let document = try place.document()
        let folder = place.file.deletingLastPathComponent()
        let isRecalibration = command.recalibrate
        (signature, plan) = try CommandFault.locating(place.file.path) {
            var model = try Model(serialized: bytes, folder: folder, limits: limits)
            try model.validate()
            model = try model.inliningFunctions()
            try model.embedExternalData()
            let signature = Result { () throws(SignatureError) in
                try Signature(inferring: model, document: document)
            }
            let known = try? signature.get()
            let plan =
                isRecalibration
                ? try FreezePlan(recalibrating: model, signature: known, options: options)
                : try FreezePlan(model, signature: known, options: options)
            return (signature, plan)
        }
    }

    /// Prints what was found and does the rest.
    ///
    /// - Throws: ``FreezeError`` or a ``CommandFault``; nothing is written then.
    func run() throws {
        for line in SiteTable.lines(plan) { StandardStream.output.say(line) }
        for warning in plan.warnings { StandardStream.error.say("warning: \(warning)") }
        guard !command.dryRun else { return }
        let data = try command.batches.data.map { try open($0) }
        if let data { StandardStream.output.say("\(dataName): \(data.summary), \(data.batchCount) batches") }
        let estimation = data.map {
            Estimation(
                data: $0,
                limit: command.batches.maxBatches,
                interruption: interruption,
                isProgressShown: StandardStream.error.isTerminal
            )
        }
        let state = try state(estimation)
        if let partial = command.partial {
            let bytes = try CommandFault.locating(partial) { try state.serialized() }
            try OutputFiles.write([(partial, bytes)], interruption: interruption)
            StandardStream.output.say("wrote \(partial): \(state.batches) batches")
            return
        }
        try write(state, checking: try estimation?.checks() ?? [], data?.names ?? [])
    }

    private var dataName: String {
        command.batches.data.map { $0 == "-" ? "standard input" : $0 } ?? ""
    }

    private func open(_ path: String) throws -> any TrainingData {
        let opening = DataOpening(
            options: command.batches,
            inputNames: plan.inputNames,
            signature: signature,
            modelName: place.file.path,
            interruption: interruption
        )
        return try opening.data(at: path) {
            ProgressBar(totalBytes: $0, isShown: StandardStream.error.isTerminal)
        }
    }

    private func state(_ estimation: Estimation?) throws -> PartialStatistics {
        guard command.merge.isEmpty, let estimation else {
            let state = try PartialStatistics.merging(
                contentsOf: command.merge.map { URL(fileURLWithPath: $0) }
            )
            StandardStream.output.say("merged \(command.merge.count) shares: \(state.batches) batches")
            return state
        }
        let (state, memory): (PartialStatistics, Estimation.Memory)
        do {
            (state, memory) = try estimation.run(plan)
        } catch let error as FreezeError {
            throw CommandFault(place: place.file.path, reason: "\(error)")
        }
        StandardStream.output.say(
            "estimated from \(state.batches) batches"
                + (state.sequences > 0 ? ", \(state.sequences) sequences" : "")
                + (state.positions > 0 ? ", \(state.positions) positions" : "")
                + "; resident memory \(ResidentMemory.text(memory.start)) at the start, "
                + "\(ResidentMemory.text(memory.end)) at the end"
        )
        return state
    }

    private func write(_ state: PartialStatistics, checking batches: [TrainingBatch], _ names: [String])
        throws
    {
        guard let output = command.output else { return }
        let frozen = try CommandFault.locating(place.file.path) {
            try plan.freeze(
                state,
                checking: batches,
                source: .init(
                    toolVersion: Seqnorm.version,
                    modelDigest: modelDigest,
                    data: names.isEmpty ? command.merge.map { FilePath.name($0) } : names
                )
            )
        }
        try interruption.check()
        for warning in frozen.warnings where !plan.warnings.contains(warning) {
            StandardStream.error.say("warning: \(warning)")
        }
        let report = FreezeReport(
            frozen,
            plan: plan,
            title: place.file.lastPathComponent
        )
        for proof in report.proofs { StandardStream.output.say("  \(proof)") }
        let bytes = try CommandFault.locating(output) { try frozen.model.serialized() }
        try OutputFiles.write(
            [(output, bytes)] + command.reports.files(report, SafetensorsFile(frozen)),
            interruption: interruption
        )
        for path in [output] + command.reports.paths { StandardStream.output.say("wrote \(path)") }
    }
}
