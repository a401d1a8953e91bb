public import Inference
public import NIOCore
import TensorCore

/// Reads the body of `:predict` and `:normalize`: TensorFlow Serving's row format with sequences of any length.
///
/// ```json
/// {"instances": [SEQUENCE, ...], "outputs": ["predictions"], "layer": "block1.bn",
///  "parameters": {"top_k": 3}, "signature_name": "serving_default"}
/// ```
///
/// Only `instances` is needed; `outputs` and `layer` exclude each other; any other key is refused by name, so
/// that a misspelt one is not passed over. A SEQUENCE is
/// - `[[C numbers] x L]` for a model of features, time first whatever the model's own layout,
/// - `"GLFDIVKK"` by the model's alphabet or `[5, 9, 4]` for a model of tokens,
/// - or an object that holds one of these under the input's name or `sequence`: `{"x": [[...]]}`. The mask's
///   and the lengths' names are refused there: a sequence's own length says it all.
///
/// Numbers are rounded to the nearest float32; integers may be written with a fraction of zero.
///
/// Faults of syntax and of JSON type are ``BodyError/invalidJSON(_:at:)`` (400), broken rules
/// ``BodyError/invalidInput(_:at:)`` (422); either names its place, such as `instances[3][7]`.
public struct InstancesDecoder: Sendable {
    private static let knownKeys = ["instances", "outputs", "layer", "parameters", "signature_name"]

    private let reader: SequenceReader
    private let classCount: Int?

    /// A decoder for one model; making one costs a table of 256 entries.
    ///
    /// - Parameters:
    ///   - signature: The model's signature.
    ///   - limits: What a body may ask for.
    public init(signature: Signature, limits: DecodingLimits = DecodingLimits()) {
        reader = SequenceReader(signature: signature, limits: limits)
        classCount = signature.labels?.count
    }

    /// Reads a body.
    ///
    /// - Parameter body: The whole body; its reader index does not move.
    /// - Returns: The sequences, packed in order, and the options.
    /// - Throws: ``BodyError/invalidJSON(_:at:)`` or ``BodyError/invalidInput(_:at:)``.
    /// - Complexity: O(bytes); reads every byte once and every number once.
    public func decode(_ body: ByteBuffer) throws(BodyError) -> InstancesRequest {
        let request = try read(body)
        if let first = request.faults.first, !request.parameters.isolatesFaults { throw first.error }
        return request
    }

    /// Reads a body, and tells of all sequences that cannot be read whether faults are to be isolated or not.
    ///
    /// - Parameter body: The whole body; its reader index does not move.
    /// - Returns: The sequences that can be read, what is wrong with the others, and the options.
    /// - Throws: ``BodyError/invalidJSON(_:at:)`` or ``BodyError/invalidInput(_:at:)`` for all other faults.
    func read(_ body: ByteBuffer) throws(BodyError) -> InstancesRequest {
        try JSONParserPool.shared.withParsed(body, maxDepth: reader.limits.maxDepth) {
            (root) throws(BodyError) in
            try request(root)
        }
    }

    private func request(_ root: JSONValue) throws(BodyError) -> InstancesRequest {
        try root.require(.object)
        var instances: JSONValue?
        var outputs: [String]?
        var layer: String?
        var parameters = RequestParameters()
        var seen: [String] = []
        try root.forEachMember { (key, value) throws(BodyError) in
            guard !seen.contains(key) else { throw .invalidInput(.duplicateKey, at: BodyPlace()) }
            seen.append(key)
            switch key {
            case "instances": instances = value
            case "outputs": outputs = try value.outputNames()
            case "layer": layer = try value.string()
            case "parameters": parameters = try RequestParameters(value, classCount: classCount)
            case "signature_name":
                guard try value.string() == "serving_default" else {
                    throw .invalidInput(.unknownSignature, at: BodyPlace())
                }
            case "inputs": throw .invalidInput(.columnFormat, at: BodyPlace())
            default: throw .invalidInput(.unknownKey(known: Self.knownKeys), at: BodyPlace())
            }
        }
        guard outputs == nil || layer == nil else {
            throw .invalidInput(.outputsAndLayer, at: BodyPlace([.key("layer")]))
        }
        guard let instances else { throw .invalidInput(.missingKey("instances"), at: BodyPlace()) }
        var request = InstancesRequest(
            batch: .empty,
            outputs: outputs,
            layer: layer,
            parameters: parameters
        )
        do throws(BodyError) {
            request.batch = try batch(instances)
        } catch {
            guard case .index = error.place.steps.first else { throw error.inside(.key("instances")) }
            let (rest, faults) = Self.readEach(instances, reader)
            if let rest { request.batch = rest }
            request.faults = faults
        }
        return request
    }

    private func batch(_ instances: JSONValue) throws(BodyError) -> SequenceBatch {
        try instances.require(.array)
        let count = instances.count
        guard count > 0 else { throw .invalidInput(.noSequences, at: BodyPlace()) }
        guard count <= reader.limits.maxSequences else {
            throw .invalidInput(.tooManySequences(limit: reader.limits.maxSequences), at: BodyPlace())
        }
        var collector = SequenceCollector(reader)
        try instances.forEachElement { (value) throws(BodyError) in
            try collector.add(value, others: .refused)
        }
        return try collector.batch(indexed: true)
    }
}

extension JSONValue {
    /// A list of one or more different names.
    func outputNames() throws(BodyError) -> [String] {
        let names = try strings()
        guard !names.isEmpty, Set(names).count == names.count else {
            throw .invalidInput(.outputNames, at: BodyPlace())
        }
        return names
    }
}
