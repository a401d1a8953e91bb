internal import SwiftProtobuf

/// Nodes in the order they run, with the constants, inputs and outputs they are about.
///
/// Reading a list makes a new array of it, so take it out of the graph once before a loop.
public struct Graph: Sendable {
    var proto: ProtoGraph
    let folder: ExternalDataFolder?

    init(proto: ProtoGraph, folder: ExternalDataFolder?) {
        self.proto = proto
        self.folder = folder
    }

    /// A new graph.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - nodes: Its nodes, each after those whose outputs it reads.
    ///   - initializers: Its constants.
    ///   - inputs: Its inputs.
    ///   - outputs: Its outputs.
    public init(
        name: String,
        nodes: [Node],
        initializers: [Initializer] = [],
        inputs: [ValueInfo] = [],
        outputs: [ValueInfo]
    ) {
        proto = ProtoGraph()
        folder = initializers.lazy.compactMap(\.folder).first
        proto.name = name
        self.nodes = nodes
        self.initializers = initializers
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The graph's name.
    public var name: String {
        get { proto.name }
        set { proto.name = newValue }
    }

    /// The nodes in the order they run.
    public var nodes: [Node] {
        get { proto.node.map { Node(proto: $0, folder: folder) } }
        set { proto.node = newValue.map(\.proto) }
    }

    /// The number of nodes, without reading them.
    public var nodeCount: Int { proto.node.count }

    /// The constants, and the default values of inputs with the same name.
    public var initializers: [Initializer] {
        get { proto.initializer.map { Initializer(proto: $0, folder: folder) } }
        set { proto.initializer = newValue.map(\.proto) }
    }

    /// The inputs; with IR version 3 also the initializers.
    public var inputs: [ValueInfo] {
        get { proto.input.map(ValueInfo.init(proto:)) }
        set { proto.input = newValue.map(\.proto) }
    }

    /// The inputs that no initializer gives a value: those a caller must give.
    public var requiredInputs: [ValueInfo] {
        let given = Set(proto.initializer.map(\.name))
        return inputs.filter { !given.contains($0.name) }
    }

    /// The outputs.
    public var outputs: [ValueInfo] {
        get { proto.output.map(ValueInfo.init(proto:)) }
        set { proto.output = newValue.map(\.proto) }
    }

    /// Types of values in between, where the file has them.
    public var valueInfos: [ValueInfo] {
        get { proto.valueInfo.map(ValueInfo.init(proto:)) }
        set { proto.valueInfo = newValue.map(\.proto) }
    }
}

extension Graph: Equatable {
    /// Whether two graphs are equal as messages, unknown fields included.
    public static func == (a: Graph, b: Graph) -> Bool { a.proto == b.proto }
}
