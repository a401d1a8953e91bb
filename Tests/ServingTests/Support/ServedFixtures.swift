import Foundation
import Inference
import ONNXGraph
import TensorCore
import TestSupport

@testable import Serving

/// Trained models out of the reference fixtures, laid out as a repository.
enum ServedFixtures {
    /// The content of a reference model's `inference.onnx`.
    static func bytes(of model: String) throws -> Data {
        try Data(contentsOf: Fixtures.reference("models/\(model)/inference.onnx"))
    }

    /// A repository over a folder of models, loaded.
    static func repository(
        _ folder: TemporaryFolder,
        _ options: RepositoryOptions = RepositoryOptions()
    ) async throws -> ModelRepository {
        let repository = try ModelRepository(paths: [folder.url], options: options)
        await repository.load()
        return repository
    }

    /// The model `vowels-cnn`, loaded.
    static func vowels() async throws -> ModelRepository {
        try await repository(TemporaryFolder(["vowels-cnn/1/model.onnx": bytes(of: "vowels-cnn")]))
    }

    /// Some test sequences of twelve features.
    static func sequences(_ range: Range<Int>) throws -> SequenceBatch {
        let sequences = try DataSets.vowels("test")[range]
        return try SequenceBatch.concatenating(
            sequences.map { try SequenceBatch(rows: $0.rows(), lengths: [$0.sequence.count]) }
        )
    }
}
