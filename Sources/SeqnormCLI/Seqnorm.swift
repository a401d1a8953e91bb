import ArgumentParser
import Glibc

/// The command tree; every subcommand is a file of its own.
@main
struct Seqnorm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seqnorm",
        abstract: "Serves sequence models whose batch normalization is frozen.",
        discussion: "Exit codes: 0 done, 1 failed, 2 wrong usage; 130 and 143 stopped by Ctrl-C and SIGTERM.",
        version: version,
        subcommands: [
            ServeCommand.self, PredictCommand.self, InspectCommand.self, VerifyCommand.self,
            HealthCommand.self, BenchCommand.self, FreezeCommand.self, FitCommand.self, EvaluateCommand.self,
        ]
    )

    /// The version of the program, as `seqnorm --version` and the server's metadata tell it.
    static let version = "0.1.0"

    /// Runs the subcommand the arguments name and leaves with 0, 1 or 2.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            leave(report(error))
        }
        leave(0)
    }

    /// Ends the process without the destructors of C and C++ libraries.
    ///
    /// Threads may still load or run a model, which nobody waits for; taking the libraries' memory from under them would
    /// end the process with a signal instead of the code.
    private static func leave(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// Says what went wrong; the exit code.
    private static func report(_ error: any Error) -> Int32 {
        if let interrupted = error as? Interruption.Interrupted {
            StandardStream.error.say("\(interrupted)")
            return interrupted.exitCode
        }
        let message = fullMessage(for: error)
        switch exitCode(for: error) {
        case .success:
            print(message)
            return 0
        case .validationFailure:
            StandardStream.error.say(message)
            return 2
        default:
            if !(error is ExitCode) { StandardStream.error.say("error: \(error)") }
            return 1
        }
    }
}
