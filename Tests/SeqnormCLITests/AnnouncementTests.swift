import Foundation
import NIOConcurrencyHelpers
import Serving
import TestSupport
import Testing

@testable import SeqnormCLI

@Suite struct AnnouncementTests {
    private func lines(
        host: String = "127.0.0.1",
        _ body: (Announcement) throws -> Void
    ) rethrows -> [String] {
        let lines = NIOLockedValueBox<[String]>([])
        try body(Announcement(host: host, port: 80) { line in lines.withLockedValue { $0.append(line) } })
        return lines.withLockedValue { $0 }
    }

    private func repository(_ paths: String...) throws -> ModelRepository {
        try ModelRepository(
            paths: paths.map { URL(fileURLWithPath: $0) },
            options: RepositoryOptions(warmUpLengths: [])
        )
    }

    @Test(arguments: [
        ("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80"),
        ("fe80::1", "http://[fe80::1]:80"), ("localhost", "http://localhost:80"),
    ])
    func `the first line holds an address that a client can use`(host: String, base: String) throws {
        let status = try repository(Program.models).status
        let found = lines(host: host) { $0.printListening(status) }
        #expect(
            found == [
                "seqnorm \(Seqnorm.version) listening on \(base), "
                    + "loading peptide-bytenet/1, vowels-bnlstm/1, vowels-cnn/1"
            ]
        )
    }

    @Test func `each model tells what it takes and gives, and one line is to be tried`() async throws {
        let repository = try repository(Program.models)
        #expect(lines { $0.printModels(repository) }.first == "  peptide-bytenet/1: loading")
        await repository.load()
        let found = lines { $0.printModels(repository) }
        #expect(found.count == 4)
        #expect(found.first == "  peptide-bytenet/1: letters or token ids to predictions, normalized")
        #expect(found[2].hasPrefix("  vowels-cnn/1: 12 numbers a position to "))
        #expect(
            found[3]
                == #"try: curl --json '{"instances": ["ACDEFGHIKLMN"]}' "#
                + "http://127.0.0.1:80/v1/models/peptide-bytenet:predict"
        )
    }

    @Test func `a model that takes numbers has an example of one position`() async throws {
        let repository = try repository(Program.models + "/vowels-cnn")
        await repository.load()
        let row = Array(repeating: "0.5", count: 12).joined(separator: ",")
        let body = #"{"instances": [[[\#(row)]]]}"#
        #expect(
            lines { $0.printModels(repository) }.last
                == "try: curl --json '\(body)' http://127.0.0.1:80/v1/models/vowels-cnn:predict"
        )
    }

    @Test func `a model that cannot be served says why, and is not to be tried`() async throws {
        let folder = try TemporaryFolder(["bad/1/model.onnx": "no model"])
        let repository = try repository(folder.url.path)
        await repository.load()
        let found = lines { $0.printModels(repository) }
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("  bad/1: cannot be served: not an ONNX model") == true)
    }
}
