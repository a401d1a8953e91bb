import HTTPServer
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads files anew, on SIGHUP and when they have changed, while requests are answered.
struct ReloadService: Service {
    /// Something that is read from files.
    struct Subject: Sendable {
        /// For the log.
        let name: String
        /// Whether the files have changed.
        let isStale: @Sendable () -> Bool
        /// Reads them; an error leaves all as it was.
        let reload: @Sendable () throws -> Void
    }

    /// How often files are looked at; looking costs a system call a file.
    static let interval = Duration.seconds(2)

    let subjects: [Subject]
    let logger: Logger

    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
                        logger.info("SIGHUP: \(subjects.isEmpty ? "nothing to read anew" : "reading anew")")
                        subjects.forEach(reload)
                    }
                }
                group.addTask { await cancelWhenGracefulShutdown(watch) }
            }
        } onGracefulShutdown: {
        }
    }

    @Sendable private func watch() async {
        guard !subjects.isEmpty else { return }
        while (try? await Task.sleep(for: Self.interval)) != nil {
            subjects.filter { $0.isStale() }.forEach(reload)
        }
    }

    private func reload(_ subject: Subject) {
        do {
            try subject.reload()
            logger.info("read anew: \(subject.name)")
        } catch {
            logger.error("\(subject.name) stays as it was: \(error)")
        }
    }
}

extension ReloadService.Subject {
    init(_ identity: TLSIdentity) {
        self.init(name: "the certificate", isStale: { identity.isStale }, reload: { try identity.reload() })
    }

    init(_ access: AccessControl) {
        self.init(name: "the keys", isStale: { access.isStale }, reload: { try access.reload() })
    }
}
