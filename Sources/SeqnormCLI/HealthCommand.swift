import ArgumentParser
import HTTPServer

/// Asks a running server whether it is ready; made for a container's `HEALTHCHECK`.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks a running server whether it is ready.",
        discussion: "Exit code 0 if it is, 1 if not. A URL without a path asks /readyz."
    )

    @Argument(help: "Where the server listens, for example http://127.0.0.1:8080.")
    var url: String

    @Option(help: "How many seconds to wait for the answer.")
    var timeout = 5.0

    func validate() throws {
        guard timeout > 0, timeout <= 3600 else {
            throw ValidationError("--timeout must be over 0 and at most 3600 seconds")
        }
        do { _ = try HealthProbe(url: url) } catch { throw ValidationError("\(error)") }
    }

    func run() async throws {
        let answer: HealthProbe.Answer
        do {
            answer = try await HealthProbe(url: url).ask(timeout: .milliseconds(Int64(timeout * 1000)))
        } catch {
            throw CommandFault(place: url, reason: "\(error)")
        }
        print("\(answer.status) \(answer.body)")
        if !(200..<400).contains(answer.status) { throw ExitCode(1) }
    }
}
