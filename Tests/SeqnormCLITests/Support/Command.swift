import Foundation
import TestSupport

/// The built program, which lies beside the tests.
enum Program {
    static let url = URL(fileURLWithPath: CommandLine.arguments[0])
        .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("seqnorm")

    /// The folder of models that are served as they are.
    static let models = Fixtures.folder
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples/models")
        .path

    /// A process of the program that has not started; of the environment only `PATH` is passed on.
    ///
    /// NIO then ends the process at the use of an event loop that has ended.
    static func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        let inherited = ProcessInfo.processInfo.environment.filter { $0.key == "PATH" }
        process.environment = environment.merging(inherited) { own, _ in own }
            .merging(["SWIFTNIO_STRICT": "1"]) { own, _ in own }
        return process
    }
}

/// A finished run of the program.
struct Command {
    let exitCode: Int32
    let output: String
    let error: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Runs the program to its end; streams are files, so that none can fill up.
    ///
    /// - Parameters:
    ///   - arguments: The command line.
    ///   - input: Standard input.
    ///   - environment: Variables to set.
    /// - Throws: What the operating system says if the program cannot be run.
    init(_ arguments: [String], input: String = "", environment: [String: String] = [:]) async throws {
        let folder = try TemporaryFolder(["in": input, "out": "", "err": ""])
        let process = Program.process(arguments, environment: environment)
        let streams = try (
            FileHandle(forReadingFrom: folder.url.appendingPathComponent("in")),
            FileHandle(forWritingTo: folder.url.appendingPathComponent("out")),
            FileHandle(forWritingTo: folder.url.appendingPathComponent("err"))
        )
        (process.standardInput, process.standardOutput, process.standardError) = streams
        exitCode = try await process.exitCode()
        output = try folder.text("out")
        error = try folder.text("err")
    }

    /// The same, with the command line word by word.
    init(_ arguments: String..., input: String = "") async throws {
        try await self.init(arguments, input: input)
    }
}

extension Process {
    /// Starts the process and waits, without blocking a thread.
    ///
    /// - Returns: The exit code; what a signal ended has its number, below zero.
    /// - Throws: What the operating system says if there is no such program.
    func exitCode() async throws -> Int32 {
        let ends = try start()
        return await ends()
    }

    /// Starts the process.
    ///
    /// - Returns: Waits for its end and gives the exit code; to be called once.
    /// - Throws: What the operating system says if there is no such program.
    func start() throws -> @Sendable () async -> Int32 {
        let (codes, source) = AsyncStream.makeStream(of: Int32.self)
        terminationHandler = { process in
            let status = process.terminationStatus
            source.yield(process.terminationReason == .exit ? status : -status)
            source.finish()
        }
        try run()
        return {
            for await code in codes { return code }
            return -1
        }
    }
}
