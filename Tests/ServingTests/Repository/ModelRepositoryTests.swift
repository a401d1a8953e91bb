import Foundation
import Inference
import ONNXGraph
import TestSupport
import Testing

@testable import Serving

struct ModelRepositoryTests {
    private let vowels: Data

    init() throws {
        vowels = try ServedFixtures.bytes(of: "vowels-cnn")
    }

    private func reason(_ repository: ModelRepository, _ name: String, version: Int = 1) -> String? {
        let status = repository.status.first { $0.name == name && $0.version == version }
        guard case .failed(let reason)? = status?.state else { return nil }
        return reason
    }

    @Test func `bad models are listed with their reasons and the good one answers`() async throws {
        let folder = try TemporaryFolder([
            "good/1/model.onnx": vowels,
            "empty/1/model.onnx": Data(),
            "garbage/1/model.onnx": Data("not a model".utf8),
            "truncated/1/model.onnx": vowels.prefix(vowels.count / 2),
            "zero/0/model.onnx": vowels,
            "missing/1/": Data(),
        ])
        let repository = try await ServedFixtures.repository(folder)
        let bad = ["empty", "garbage", "missing", "truncated"]
        #expect(
            repository.status.map(\.name) == ["empty", "garbage", "good", "missing", "truncated", "zero"]
        )
        for name in bad {
            let reason = try #require(self.reason(repository, name))
            #expect(!reason.isEmpty && !reason.contains(folder.url.path))
            let title = "model '\(name)' version 1 failed: \(reason)"
            #expect(throws: ServingError.notReady(reason: title)) { try repository.model(named: name) }
        }
        #expect(reason(repository, "missing") == "there is no model.onnx")
        #expect(reason(repository, "zero", version: 0)?.contains("not a number of at least 1") == true)
        #expect(try repository.model(named: "good").version == 1)
        let first = try #require(reason(repository, "empty"))
        #expect(
            repository.readiness == .notReady(reason: "model 'empty' version 1 failed: \(first)")
        )
    }

    @Test func `a model whose statistics are not frozen is refused, with the node and what to do`()
        async throws
    {
        let names = ["vowels-cnn/train", "vowels-plain-bn/train-legacy"]
        let bytes = try names.map { try Data(contentsOf: Fixtures.reference("models/\($0).onnx")) }
        let folder = try TemporaryFolder(["a/1/model.onnx": bytes[0], "b/1/model.onnx": bytes[1]])
        let repository = try await ServedFixtures.repository(folder)
        for (name, node) in [("a", "node.block1.bn.mean"), ("b", "/bns.0/BatchNormalization")] {
            let reason = try #require(self.reason(repository, name))
            #expect(reason.hasPrefix("\(node): "))
            #expect(reason.contains("not frozen") && reason.contains("seqnorm freeze"))
            #expect(!reason.contains(folder.url.path))
        }
    }

    @Test func `a repository is ready once all is loaded`() async throws {
        let folder = try TemporaryFolder(["a/1/model.onnx": vowels, "b/1/model.onnx": vowels])
        let repository = try ModelRepository(paths: [folder.url])
        #expect(repository.status.map(\.state) == [.loading, .loading])
        #expect(repository.readiness == .notReady(reason: "model 'a' version 1 and 1 more is loading"))
        #expect(throws: ServingError.notReady(reason: "model 'a' version 1 is loading")) {
            try repository.model(named: "a")
        }
        await repository.load()
        #expect(repository.status.map(\.state) == [.ready, .ready])
        #expect(repository.readiness == .ready)
        let model = try repository.model(named: "a").sequenceModel
        await repository.load()
        #expect(try repository.model(named: "a").sequenceModel === model)
    }

    @Test func `the highest version answers if none is named`() async throws {
        let other = try ServedFixtures.bytes(of: "peptide-bytenet")
        let folder = try TemporaryFolder([
            "m/2/model.onnx": vowels, "m/10/model.onnx": other, "m/9/model.onnx": vowels,
        ])
        let repository = try await ServedFixtures.repository(folder)
        #expect(try repository.model(named: "m").version == 10)
        #expect(try repository.model(named: "m").digest == Digest.sha256Hex(other))
        #expect(try repository.model(named: "m").fileBytes == other.count)
        #expect(try repository.model(named: "m", version: 2).digest == Digest.sha256Hex(vowels))
        #expect(throws: ServingError.versionNotFound(name: "m", version: 3)) {
            try repository.model(named: "m", version: 3)
        }
        #expect(throws: ServingError.modelNotFound(name: "n")) { try repository.model(named: "n") }
    }

    @Test func `a failed highest version is not replaced by an older one`() async throws {
        let folder = try TemporaryFolder(["m/1/model.onnx": vowels, "m/2/model.onnx": Data([1])])
        let repository = try await ServedFixtures.repository(folder)
        #expect(throws: ServingError.self) { try repository.model(named: "m") }
        #expect(try repository.model(named: "m", version: 1).version == 1)
    }

    @Test func `a file over the size limit is refused`() async throws {
        let folder = try TemporaryFolder(["m/1/model.onnx": vowels])
        let exact = try await ServedFixtures.repository(
            folder,
            RepositoryOptions(maxModelBytes: vowels.count)
        )
        #expect(exact.readiness == .ready)
        let limit = vowels.count - 1
        let repository = try await ServedFixtures.repository(folder, RepositoryOptions(maxModelBytes: limit))
        #expect(reason(repository, "m") == "model.onnx is over the limit of \(limit) bytes")
    }

    @Test func `a pipe instead of a file is refused, not waited for`() async throws {
        let folder = try TemporaryFolder(["m/1/": Data()])
        #expect(mkfifo(folder.url.appendingPathComponent("m/1/model.onnx").path, 0o600) == 0)
        let repository = try await ServedFixtures.repository(folder)
        #expect(reason(repository, "m") == "model.onnx is not a regular file")
    }

    @Test func `model json beside the file goes before the one in the model's folder`() async throws {
        func labels(_ prefix: String) -> Data {
            Data(#"{"labels": [\#((0..<9).map { "\"\(prefix)\($0)\"" }.joined(separator: ","))]}"#.utf8)
        }
        let folder = try TemporaryFolder([
            "m/1/model.onnx": vowels, "m/2/model.onnx": vowels, "m/model.json": labels("folder"),
            "m/2/model.json": labels("beside"),
        ])
        let repository = try await ServedFixtures.repository(folder)
        func firstLabel(_ version: Int) throws -> String? {
            try repository.model(named: "m", version: version).sequenceModel.signature.labels?.first
        }
        #expect(try firstLabel(1) == "folder0")
        #expect(try firstLabel(2) == "beside0")
    }

    @Test func `a broken or huge model json fails its model`() async throws {
        let folder = try TemporaryFolder([
            "a/1/model.onnx": vowels, "a/1/model.json": Data("{".utf8),
            "b/1/model.onnx": vowels, "b/1/model.json": Data(repeating: 32, count: 2000),
        ])
        let repository = try await ServedFixtures.repository(
            folder,
            RepositoryOptions(maxOverrideBytes: 1000)
        )
        #expect(reason(repository, "a") != nil)
        #expect(reason(repository, "b") == "model.json is over the limit of 1000 bytes")
    }

    @Test func `load time is measured for each model that is ready`() async throws {
        let metrics = RecordingMetrics()
        let folder = try TemporaryFolder(["a/1/model.onnx": vowels, "b/1/model.onnx": Data()])
        let repository = try ModelRepository(paths: [folder.url], metrics: metrics)
        await repository.load()
        #expect(metrics.values("seqnorm_model_load_seconds{a,1}").count == 1)
        #expect(metrics.values("seqnorm_model_load_seconds{b,1}").isEmpty)
    }

    @Test func `paths without a model are an error at once`() throws {
        let folder = try TemporaryFolder()
        let fault = RepositoryFault.noModels(path: folder.url.path)
        #expect(throws: ServingError.invalidRepository(fault)) { try ModelRepository(paths: [folder.url]) }
    }

    @Test(arguments: [Batching.ragged, .padded])
    func `a model warms up on its own length only, if it has one, and on those it can take`(
        batching: Batching
    ) async throws {
        let model = try SequenceModel(model: Model(serialized: vowels))
        try WarmUp(model: model, batching: batching, lengths: [1, 2, 17, 64]).run()
        try WarmUp(model: model, batching: batching, lengths: [0, -3, 5]).run()
        try WarmUp(model: model, batching: batching, lengths: []).run()
    }
}
