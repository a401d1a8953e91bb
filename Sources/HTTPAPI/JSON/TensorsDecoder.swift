import CSimdJSON
public import Inference
public import NIOCore
import TensorCore

/// Reads the body of `/v2/models/{model}/infer`: JSON tensors of the open inference protocol.
///
/// ```json
/// {"id": "42", "inputs": [{"name": "x", "shape": [2, 12, 20], "datatype": "FP32", "data": [...]},
///  {"name": "mask", "shape": [2, 1, 20], "datatype": "FP32", "data": [...]}],
///  "outputs": [{"name": "predictions"}]}
/// ```
///
/// - The sequence input has the model's own layout: `[B, C, L]` or `[B, L, C]`, FP32 or FP64 (rounded to
///   float32); or tokens `[B, L]` of any integer type.
/// - The mask (`[B, 1, L]` or `[B, L]`; BOOL, FP32, FP64 or an integer type) and the lengths (`[B]`, integers)
///   are optional, whatever the model takes; without both, every sequence is L long. A mask must be ones and then
///   zeros, lengths from 1 to L; if both are given they must agree. Where the model has no such input, they are
///   taken under the names `mask` and `lengths`. What stands at padding is not used, but must be a number.
/// - `data` may be flat or nested as the shape says. `id` is kept, and of `parameters` `priority` and
///   `timeout_ms`; the others are passed over, as the protocol defines none. Binary data is refused.
public struct TensorsDecoder: Sendable {
    private static let knownKeys = ["id", "inputs", "outputs", "parameters"]

    private let reader: SequenceReader
    private let layout: Layout
    private let maskName: String
    private let lengthsName: String

    private enum Layout {
        case channelsFirst(Int), channelsLast(Int), tokens
    }

    /// A decoder for one model.
    ///
    /// - Parameters:
    ///   - signature: The model's signature.
    ///   - limits: What a body may ask for.
    public init(signature: Signature, limits: DecodingLimits = DecodingLimits()) {
        reader = SequenceReader(signature: signature, limits: limits)
        maskName = signature.mask?.name ?? "mask"
        lengthsName = signature.lengths?.name ?? "lengths"
        layout =
            switch signature.sequence.kind {
            case .features(.channelsFirst, let channels): .channelsFirst(channels)
            case .features(.channelsLast, let channels): .channelsLast(channels)
            case .tokens: .tokens
            }
    }

    /// Reads a body.
    ///
    /// - Parameter body: The whole body; its reader index does not move.
    /// - Returns: The sequences without padding, and the options.
    /// - Throws: ``BodyError/invalidJSON(_:at:)`` or ``BodyError/invalidInput(_:at:)``.
    /// - Complexity: O(bytes); allocates in proportion to the numbers given, never to the shape claimed.
    public func decode(_ body: ByteBuffer) throws(BodyError) -> TensorsRequest {
        try JSONParserPool.shared.withParsed(body, maxDepth: reader.limits.maxDepth) {
            (root) throws(BodyError) in
            try request(root)
        }
    }

    private func request(_ root: JSONValue) throws(BodyError) -> TensorsRequest {
        try root.require(.object)
        var id: String?
        var outputs: [String]?
        var inputs: JSONValue?
        var parameters = RequestParameters()
        var seen: Set<String> = []
        try root.forEachMember { (key, value) throws(BodyError) in
            guard seen.insert(key).inserted else { throw .invalidInput(.duplicateKey, at: BodyPlace()) }
            switch key {
            case "id": id = try value.string()
            case "inputs": inputs = value
            case "outputs": outputs = try self.outputs(value)
            case "parameters": parameters = try RequestParameters(tensors: value)
            default: throw .invalidInput(.unknownKey(known: Self.knownKeys), at: BodyPlace())
            }
        }
        guard let inputs else { throw .invalidInput(.missingKey("inputs"), at: BodyPlace()) }
        do throws(BodyError) {
            let (batch, paddedLength) = try self.batch(inputs)
            return TensorsRequest(
                id: id,
                batch: batch,
                paddedLength: paddedLength,
                outputs: outputs,
                parameters: parameters
            )
        } catch {
            throw error.inside(.key("inputs"))
        }
    }

    private func outputs(_ value: JSONValue) throws(BodyError) -> [String]? {
        try value.require(.array)
        var names: [String] = []
        try value.forEachElement { (element) throws(BodyError) in
            try element.require(.object)
            var name: String?
            try element.forEachMember { (key, value) throws(BodyError) in
                switch key {
                case "name": name = try value.string()
                case "parameters": try value.require(.object)
                default:
                    throw .invalidInput(.unknownKey(known: ["name", "parameters"]), at: BodyPlace())
                }
            }
            guard let name else { throw .invalidInput(.missingKey("name"), at: BodyPlace()) }
            guard !names.contains(name) else { throw .invalidInput(.outputNames, at: BodyPlace()) }
            names.append(name)
        }
        return names.isEmpty ? nil : names
    }

    private func batch(_ inputs: JSONValue) throws(BodyError) -> (SequenceBatch, paddedLength: Int) {
        try inputs.require(.array)
        let known = [reader.inputName, maskName, lengthsName]
        var tensors: [String: (index: Int, tensor: InputTensor)] = [:]
        var index = 0
        try inputs.forEachElement { (value) throws(BodyError) in
            let tensor = try InputTensor(value)
            let place = BodyPlace([.key("name")])
            guard known.contains(tensor.name) else {
                throw .invalidInput(.unknownInput(known: known), at: place)
            }
            guard tensors.updateValue((index, tensor), forKey: tensor.name) == nil else {
                throw .invalidInput(.duplicateKey, at: place)
            }
            index += 1
        }
        guard let sequence = tensors[reader.inputName] else {
            throw .invalidInput(.missingKey(reader.inputName), at: BodyPlace())
        }
        let (count, length) = try Self.at(sequence.index) { () throws(BodyError) in
            try extent(sequence.tensor)
        }
        var lengths: [Int]?
        if let mask = tensors[maskName] {
            lengths = try Self.at(mask.index) { () throws(BodyError) in
                try MaskReader.lengths(mask: mask.tensor, count: count, length: length)
            }
        }
        if let given = tensors[lengthsName] {
            lengths = try Self.at(given.index) { () throws(BodyError) in
                try MaskReader.lengths(given.tensor, count: count, length: length, mask: lengths)
            }
        }
        let batch = try Self.at(sequence.index) { () throws(BodyError) in
            try pack(
                sequence.tensor,
                lengths: lengths ?? Array(repeating: length, count: count),
                length: length
            )
        }
        return (batch, length)
    }

    private static func at<R>(_ index: Int, _ body: () throws(BodyError) -> R) throws(BodyError) -> R {
        do throws(BodyError) {
            return try body()
        } catch {
            throw error.inside(.index(index))
        }
    }

    /// B and L, checked against the signature and the limits.
    private func extent(_ tensor: InputTensor) throws(BodyError) -> (count: Int, length: Int) {
        let timeAxis: Int
        switch layout {
        case .channelsFirst(let channels):
            try tensor.require([.float32, .float64], shape: [-1, channels, -1])
            timeAxis = 2
        case .channelsLast(let channels):
            try tensor.require([.float32, .float64], shape: [-1, -1, channels])
            timeAxis = 1
        case .tokens:
            try tensor.require(ElementType.integerTypes, shape: [-1, -1])
            timeAxis = 1
        }
        let (count, length) = (tensor.shape[0], tensor.shape[timeAxis])
        let place = BodyPlace([.key("shape")])
        guard count > 0 else { throw .invalidInput(.noSequences, at: place) }
        guard count <= reader.limits.maxSequences else {
            throw .invalidInput(.tooManySequences(limit: reader.limits.maxSequences), at: place)
        }
        guard length > 0 else { throw .invalidInput(.emptySequence, at: place) }
        guard length <= reader.limits.maxPositions else {
            throw .invalidInput(.sequenceTooLong(limit: reader.limits.maxPositions), at: place)
        }
        return (count, length)
    }

    private func pack(_ tensor: InputTensor, lengths: [Int], length: Int) throws(BodyError) -> SequenceBatch {
        let rows: Tensor
        switch layout {
        case .channelsFirst(let channels):
            rows = try PaddedRows.transposing(tensor.floats(), channels: channels, lengths: lengths)
        case .channelsLast(let channels):
            rows = try PaddedRows.packing(
                tensor.floats(),
                of: Float.self,
                columns: channels,
                lengths: lengths,
                length: length
            )
        case .tokens: rows = try tokens(tensor, lengths: lengths, length: length)
        }
        do throws(ShapeError) {
            return try SequenceBatch(rows: rows, lengths: lengths)
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
    }

    /// Token ids; at padding any id stands, such as the model's own id for padding.
    private func tokens(_ tensor: InputTensor, lengths: [Int], length: Int) throws(BodyError) -> Tensor {
        let ids = try tensor.integers(in: Int64.min...Int64.max)
        let range = reader.tokenIDs
        var packed: [Int64] = []
        packed.reserveCapacity(lengths.reduce(0, +))
        for (sequence, own) in lengths.enumerated() {
            let real = ids[sequence * length..<sequence * length + own]
            if let wrong = real.firstIndex(where: { !range.contains($0) }) {
                throw .invalidInput(
                    .integerOutOfRange(lower: range.lowerBound, upper: range.upperBound),
                    at: BodyPlace([.key("data")] + tensor.steps(to: wrong))
                )
            }
            packed += real
        }
        do throws(ShapeError) {
            return try Tensor(packed, shape: Shape(checking: [packed.count]))
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
    }
}
