import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// What `Tests/exports/make.py` writes of the models it exported.
struct ExportRecord: Decodable {
    struct Case: Decodable {
        let lengths: [Int]
        /// `agrees` with PyTorch, `differs`, or `fails`.
        let onnxruntime: String
    }

    struct Export: Decodable, CustomTestStringConvertible {
        let model: String
        let exporter: String
        /// nil if the exporter failed.
        let file: String?
        let cases: [Case]?

        var testDescription: String { "\(model) \(exporter)" }

        /// The file's place.
        var url: URL? { file.map { Fixtures.file("exports/\($0)") } }

        /// The tensors of one case, by name; nil for one in which onnxruntime does not agree with PyTorch.
        func tensors(of index: Int) throws -> (inputs: [String: Tensor], outputs: [String: Tensor])? {
            guard let url, cases?[index].onnxruntime == "agrees" else { return nil }
            let all = try SafeTensors.read(url.deletingPathExtension().appendingPathExtension("safetensors"))
            func part(_ kind: String) -> [String: Tensor] {
                let prefix = "\(index).\(kind)."
                return Dictionary(
                    uniqueKeysWithValues: all.filter { $0.key.hasPrefix(prefix) }
                        .map { (String($0.key.dropFirst(prefix.count)), $0.value) }
                )
            }
            return (part("in"), part("out"))
        }
    }

    let exports: [Export]

    /// The exports that have a file.
    static var files: [Export] {
        let data = try? Data(contentsOf: Fixtures.file("exports/exports.json"))
        let record = data.flatMap { try? JSONDecoder().decode(ExportRecord.self, from: $0) }
        return record?.exports.filter { $0.file != nil } ?? []
    }
}
