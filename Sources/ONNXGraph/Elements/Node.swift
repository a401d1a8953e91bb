internal import SwiftProtobuf

/// One use of an operator: what it reads, what it makes, and its attributes.
public struct Node: Sendable {
    var proto: ProtoNode
    let folder: ExternalDataFolder?

    init(proto: ProtoNode, folder: ExternalDataFolder?) {
        self.proto = proto
        self.folder = folder
    }

    /// A new node.
    ///
    /// - Parameters:
    ///   - operatorType: The operator, such as `Conv`.
    ///   - name: The node's name; may be empty.
    ///   - domain: The operator's domain; `""` is ONNX's own.
    ///   - inputs: Names of values; `""` for an optional input that is absent.
    ///   - outputs: Names of values; `""` for an optional output that is not wanted.
    ///   - attributes: The attributes.
    public init(
        _ operatorType: String,
        name: String = "",
        domain: String = "",
        inputs: [String],
        outputs: [String],
        attributes: [Attribute] = []
    ) {
        proto = ProtoNode()
        folder = nil
        proto.opType = operatorType
        if !name.isEmpty { proto.name = name }
        if !domain.isEmpty { proto.domain = domain }
        proto.input = inputs
        proto.output = outputs
        proto.attribute = attributes.map(\.proto)
    }

    /// The node's name; may be empty, and other nodes may have the same.
    public var name: String {
        get { proto.name }
        set { proto.name = newValue }
    }

    /// The operator, such as `Conv`.
    public var operatorType: String {
        get { proto.opType }
        set { proto.opType = newValue }
    }

    /// The operator's domain; `""` is ONNX's own, also where the file calls it `ai.onnx`.
    public var domain: String {
        get { Model.canonicalDomain(proto.domain) }
        set { proto.domain = newValue }
    }

    /// Names of the values read; `""` for an optional input that is absent.
    public var inputs: [String] {
        get { proto.input }
        set { proto.input = newValue }
    }

    /// Names of the values made; `""` for an optional output that is not wanted.
    public var outputs: [String] {
        get { proto.output }
        set { proto.output = newValue }
    }

    /// The attributes in the order of the file.
    public var attributes: [Attribute] {
        get { proto.attribute.map { Attribute(proto: $0, folder: folder) } }
        set { proto.attribute = newValue.map(\.proto) }
    }

    /// The value of the attribute with a name; nil if the node has none.
    ///
    /// - Parameter name: The attribute's name.
    /// - Returns: The value.
    public func attribute(_ name: String) -> Attribute.Value? {
        proto.attribute.first { $0.name == name }.map { Attribute(proto: $0, folder: folder).value }
    }

    /// The subgraphs of the node: the name of the attribute that holds each, and the graph.
    public var subgraphs: [(attribute: String, graph: Graph)] {
        proto.attribute.filter(\.hasG).map { ($0.name, Graph(proto: $0.g, folder: folder)) }
    }

    /// What the file says of the node, `metadata_props`; of a key that stands twice, the first.
    public var metadata: [String: String] {
        get { proto.metadataProps.dictionary }
        set { proto.metadataProps.update(to: newValue) }
    }
}

extension Node: Equatable {
    /// Whether two nodes are equal as messages, unknown fields included.
    public static func == (a: Node, b: Node) -> Bool { a.proto == b.proto }
}
