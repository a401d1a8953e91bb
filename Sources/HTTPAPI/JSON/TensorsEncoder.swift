public import Inference
public import NIOCore
public import TensorCore

/// Writes the answer of `/v2/models/{model}/infer`: JSON tensors of the open inference protocol.
///
/// ```json
/// {"model_name": "vowels-cnn", "model_version": "1", "id": "42",
///  "outputs": [{"name": "predictions", "shape": [2, 9], "datatype": "FP32", "data": [...]}]}
/// ```
///
/// `data` is flat, row-major. An output per position is a full rectangle in the model's own layout, padded with
/// zeros to the length of the request's time axis. Numbers that are not finite are written as `null`.
public struct TensorsEncoder: Sendable {
    private let modelName: String
    private let modelVersion: String?
    private let signature: Signature

    /// An encoder for one model.
    ///
    /// - Parameters:
    ///   - modelName: Written as `model_name`.
    ///   - modelVersion: Written as `model_version`, unless nil.
    ///   - signature: The model's signature, which knows each output's time axis.
    public init(modelName: String, modelVersion: String?, signature: Signature) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.signature = signature
    }

    /// Writes the answer to a request.
    ///
    /// - Parameters:
    ///   - outputs: The outputs, all of the request's sequences.
    ///   - request: The request they answer.
    /// - Returns: One JSON object.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)`` or ``ShapeError/rankTooHigh(rank:limit:)`` if an output
    ///   padded to a rectangle is over a tensor's limits.
    /// - Complexity: O(numbers, padding included).
    public func encode(_ outputs: [SequenceOutput], for request: TensorsRequest) throws(ShapeError)
        -> ByteBuffer
    {
        var tensors: [(name: String, tensor: Tensor)] = []
        for output in outputs {
            tensors.append((output.name, try rectangle(output, for: request)))
        }
        var writer = JSONWriter(capacity: tensors.reduce(256) { $0 + $1.tensor.count * 14 + 128 })
        writer.raw("{\"model_name\":")
        writer.string(modelName)
        if let modelVersion {
            writer.raw(",\"model_version\":")
            writer.string(modelVersion)
        }
        if let id = request.id {
            writer.raw(",\"id\":")
            writer.string(id)
        }
        writer.raw(",\"outputs\":[")
        writer.list(tensors) { writer, output in write(output.name, output.tensor, to: &writer) }
        writer.raw("]}")
        return writer.buffer
    }

    private func write(_ name: String, _ tensor: Tensor, to writer: inout JSONWriter) {
        writer.raw("{\"name\":")
        writer.string(name)
        writer.raw(",\"shape\":[")
        writer.list(tensor.shape.dimensions) { $0.integer($1) }
        writer.raw("],\"datatype\":")
        writer.string(tensor.elementType.datatype)
        writer.raw(",\"data\":[")
        writer.flat(tensor)
        writer.raw("]}")
    }

    private func rectangle(_ output: SequenceOutput, for request: TensorsRequest) throws(ShapeError) -> Tensor
    {
        guard let lengths = output.lengths else { return output.rows }
        var timeAxis = 1
        if case .perPosition(let axis) = signature.outputs.first(where: { $0.name == output.name })?.kind {
            timeAxis = axis
        }
        let longest = lengths.max() ?? 0
        return try PaddedRows.padding(
            output.rows,
            lengths: lengths,
            length: lengths == request.batch.lengths ? max(request.paddedLength, longest) : longest,
            timeAxis: timeAxis
        )
    }
}
