internal import SwiftProtobuf

/// An ONNX model: a graph, the operator sets its nodes come from, and where the file came from.
///
/// A model wraps the message that was read. What this type does not know stays in it, so that a model that is
/// loaded and saved is equal as a message to the one in the file.
///
/// ```swift
/// var model = try Model(contentsOf: URL(filePath: "model.onnx"))
/// try model.validate()
/// model.metadata["alphabet"] = "ACGT"
/// try model.write(to: URL(filePath: "model.onnx"))
/// ```
public struct Model: Sendable {
    var proto: ProtoModel
    let folder: ExternalDataFolder?
    /// What the model may ask for when it is validated, planned and run; not in the file.
    public var limits: ModelLimits

    init(proto: ProtoModel, folder: ExternalDataFolder?, limits: ModelLimits = .standard) {
        self.proto = proto
        self.folder = folder
        self.limits = limits
    }

    /// A new model.
    ///
    /// - Parameters:
    ///   - graph: Its graph.
    ///   - irVersion: The version of the file format.
    ///   - opsetImports: Versions of the operator sets by domain; `""` is ONNX's own.
    ///   - limits: What the model may ask for.
    public init(
        graph: Graph,
        irVersion: Int64 = 10,
        opsetImports: [String: Int],
        limits: ModelLimits = .standard
    ) {
        self.limits = limits
        proto = ProtoModel()
        folder = graph.folder
        proto.irVersion = irVersion
        proto.graph = graph.proto
        self.opsetImports = opsetImports
    }

    /// The version of the file format.
    public var irVersion: Int64 {
        get { proto.irVersion }
        set { proto.irVersion = newValue }
    }

    /// The name of the program that made the model; empty if unknown.
    public var producerName: String {
        get { proto.producerName }
        set { proto.producerName = newValue }
    }

    /// The version of the program that made the model; empty if unknown.
    public var producerVersion: String {
        get { proto.producerVersion }
        set { proto.producerVersion = newValue }
    }

    /// Versions of the operator sets by domain; `""` is ONNX's own, also where the file calls it `ai.onnx`.
    public var opsetImports: [String: Int] {
        get {
            let pairs = proto.opsetImport.map { (Self.canonicalDomain($0.domain), Int($0.version)) }
            return Dictionary(pairs) { first, _ in first }
        }
        set {
            var remaining = newValue
            proto.opsetImport = proto.opsetImport.compactMap { entry in
                guard let version = remaining.removeValue(forKey: Self.canonicalDomain(entry.domain)) else {
                    return nil
                }
                var entry = entry
                entry.version = Int64(version)
                return entry
            }
            for (domain, version) in remaining.sorted(by: { $0.key < $1.key }) {
                var entry = ProtoOperatorSet()
                entry.domain = domain
                entry.version = Int64(version)
                proto.opsetImport.append(entry)
            }
        }
    }

    /// What the model says of itself, `metadata_props`; of a key that stands twice, the first.
    public var metadata: [String: String] {
        get { proto.metadataProps.dictionary }
        set { proto.metadataProps.update(to: newValue) }
    }

    /// The graph; empty if the message has none, which ``validate()`` refuses.
    public var graph: Graph {
        get { Graph(proto: proto.graph, folder: folder) }
        set { proto.graph = newValue.proto }
    }

    /// The name of an operator set's domain as this package writes it: `""` for ONNX's own.
    static func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
}

extension Model: Equatable {
    /// Whether two models are equal as messages, unknown fields included.
    public static func == (a: Model, b: Model) -> Bool { a.proto == b.proto }
}
