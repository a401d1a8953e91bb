internal import FoundationEssentials
internal import SwiftProtobuf

/// A named constant of a node.
public struct Attribute: Sendable {
    /// What an attribute can hold.
    public enum Value: Equatable, Sendable {
        case float(Float)
        case int(Int64)
        case string(String)
        case tensor(Initializer)
        case graph(Graph)
        case floats([Float])
        case ints([Int64])
        case strings([String])
        case tensors([Initializer])
        case graphs([Graph])
        /// A value of another type, with ONNX's name for it.
        case unsupported(String)
    }

    var proto: ProtoAttribute
    let folder: ExternalDataFolder?

    init(proto: ProtoAttribute, folder: ExternalDataFolder?) {
        self.proto = proto
        self.folder = folder
    }

    /// A new attribute.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - value: Its value.
    public init(_ name: String, _ value: Value) {
        proto = ProtoAttribute()
        folder = nil
        proto.name = name
        self.value = value
    }

    /// The attribute's name.
    public var name: String {
        get { proto.name }
        set { proto.name = newValue }
    }

    /// The attribute's value; bytes of a string that are not UTF-8 are replaced in what is read here.
    public var value: Value {
        get {
            switch AttributeType(rawValue: proto.type) {
            case .float: .float(proto.f)
            case .int: .int(proto.i)
            case .string: .string(Self.text(proto.s))
            case .tensor: .tensor(Initializer(proto: proto.t, folder: folder))
            case .graph: .graph(Graph(proto: proto.g, folder: folder))
            case .floats: .floats(proto.floats)
            case .ints: .ints(proto.ints)
            case .strings: .strings(proto.strings.map(Self.text))
            case .tensors: .tensors(proto.tensors.map { Initializer(proto: $0, folder: folder) })
            case .graphs: .graphs(proto.graphs.map { Graph(proto: $0, folder: folder) })
            case nil: .unsupported(AttributeType.name(ofCode: proto.type))
            }
        }
        set { set(newValue) }
    }

    private static func text(_ bytes: Data) -> String { String(decoding: bytes, as: UTF8.self) }

    private mutating func set(_ value: Value) {
        var fresh = ProtoAttribute()
        if proto.hasName { fresh.name = proto.name }
        fresh.unknownFields = proto.unknownFields
        switch value {
        case .float(let value): (fresh.f, fresh.type) = (value, AttributeType.float.rawValue)
        case .int(let value): (fresh.i, fresh.type) = (value, AttributeType.int.rawValue)
        case .string(let value): (fresh.s, fresh.type) = (Data(value.utf8), AttributeType.string.rawValue)
        case .tensor(let value): (fresh.t, fresh.type) = (value.proto, AttributeType.tensor.rawValue)
        case .graph(let value): (fresh.g, fresh.type) = (value.proto, AttributeType.graph.rawValue)
        case .floats(let values): (fresh.floats, fresh.type) = (values, AttributeType.floats.rawValue)
        case .ints(let values): (fresh.ints, fresh.type) = (values, AttributeType.ints.rawValue)
        case .strings(let values):
            (fresh.strings, fresh.type) = (values.map { Data($0.utf8) }, AttributeType.strings.rawValue)
        case .tensors(let values):
            (fresh.tensors, fresh.type) = (values.map(\.proto), AttributeType.tensors.rawValue)
        case .graphs(let values):
            (fresh.graphs, fresh.type) = (values.map(\.proto), AttributeType.graphs.rawValue)
        case .unsupported: return
        }
        proto = fresh
    }
}

extension Attribute: Equatable {
    /// Whether two attributes are equal as messages, unknown fields included.
    public static func == (a: Attribute, b: Attribute) -> Bool { a.proto == b.proto }
}
