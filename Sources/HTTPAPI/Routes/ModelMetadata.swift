import Inference
import Serving

/// What a loaded model takes and gives.
struct ModelMetadata: Encodable {
    struct Specification: Encodable {
        let name: String
        let version: String
        let signatureName = "serving_default"

        enum CodingKeys: String, CodingKey {
            case name, version
            case signatureName = "signature_name"
        }
    }

    struct Layer: Encodable {
        let name: String
        let channels: Int
        let steps: Int?
    }

    struct Content: Encodable {
        let signature: Signature
        let predictOutputs: [String]
        let layers: [Layer]
        let digest: String
        let precision: String

        enum CodingKeys: String, CodingKey {
            case signature, layers, digest, precision
            case predictOutputs = "predict_outputs"
        }
    }

    let specification: Specification
    let metadata: Content

    enum CodingKeys: String, CodingKey {
        case metadata
        case specification = "model_spec"
    }

    init(_ model: ServedModel) {
        specification = Specification(name: model.name, version: String(model.version))
        metadata = Content(
            signature: model.sequenceModel.signature,
            predictOutputs: model.sequenceModel.predictOutputs,
            layers: model.sequenceModel.layers.map {
                Layer(name: $0.name, channels: $0.channels, steps: $0.steps)
            },
            digest: "sha256:" + model.digest,
            precision: model.sequenceModel.precision.rawValue
        )
    }
}
