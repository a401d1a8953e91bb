import Inference
import Serving

/// The inputs and outputs of a model as the open inference protocol describes them; -1 is any length.
struct TensorsMetadata: Encodable {
    struct TensorMetadata: Encodable, Equatable {
        let name: String
        let datatype: String
        let shape: [Int]
    }

    let name: String
    let versions: [String]
    let platform = "onnx_onnxv1"
    let inputs: [TensorMetadata]
    let outputs: [TensorMetadata]

    init(_ model: ServedModel, versions: [Int]) {
        let signature = model.sequenceModel.signature
        name = model.name
        self.versions = versions.sorted().map(String.init)
        inputs = Self.inputs(of: signature)
        outputs = signature.outputs.map(Self.output)
    }

    static func inputs(of signature: Signature) -> [TensorMetadata] {
        var inputs: [TensorMetadata] = []
        let name = signature.sequence.name
        switch signature.sequence.kind {
        case .features(.channelsFirst, let channels):
            inputs.append(TensorMetadata(name: name, datatype: "FP32", shape: [-1, channels, -1]))
        case .features(.channelsLast, let channels):
            inputs.append(TensorMetadata(name: name, datatype: "FP32", shape: [-1, -1, channels]))
        case .tokens:
            inputs.append(TensorMetadata(name: name, datatype: "INT64", shape: [-1, -1]))
        }
        if let mask = signature.mask {
            let shape = mask.rank == 3 ? [-1, 1, -1] : [-1, -1]
            inputs.append(
                TensorMetadata(name: mask.name, datatype: mask.elementType.datatype, shape: shape)
            )
        }
        if let lengths = signature.lengths {
            inputs.append(
                TensorMetadata(name: lengths.name, datatype: lengths.elementType.datatype, shape: [-1])
            )
        }
        return inputs
    }

    static func output(_ output: OutputSignature) -> TensorMetadata {
        var shape = [-1] + output.features.map { $0 ?? -1 }
        if case .perPosition(let axis) = output.kind { shape.insert(-1, at: min(max(axis, 1), shape.count)) }
        return TensorMetadata(name: output.name, datatype: "FP32", shape: shape)
    }
}
