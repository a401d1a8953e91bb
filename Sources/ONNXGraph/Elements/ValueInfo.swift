internal import SwiftProtobuf
public import TensorCore

/// The length of an axis as a model declares it.
public enum Dimension: Hashable, Sendable {
    /// A fixed length, at least 0.
    case fixed(Int)
    /// A length that every axis with the same symbol has.
    case symbol(String)
    /// A length of which nothing is said.
    case unknown
}

/// The name and type of a value: an input, an output, or one in between.
public struct ValueInfo: Sendable {
    var proto: ProtoValueInfo

    init(proto: ProtoValueInfo) { self.proto = proto }

    /// A new tensor value.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - elementType: The type of its elements.
    ///   - dimensions: Its axes, outermost first; nil if even their number is unknown.
    public init(_ name: String, elementType: ElementType, dimensions: [Dimension]?) {
        proto = ProtoValueInfo()
        proto.name = name
        self.elementType = elementType
        self.dimensions = dimensions
    }

    /// A new value of which nothing is declared but the name.
    ///
    /// - Parameter name: Its name.
    public init(_ name: String) {
        proto = ProtoValueInfo()
        proto.name = name
    }

    /// The value's name.
    public var name: String {
        get { proto.name }
        set { proto.name = newValue }
    }

    /// What a value can be declared as.
    public enum Kind: String, Hashable, Sendable {
        case tensor, sequence, optional
        /// A map, a sparse tensor, or what else newer versions have.
        case other
        /// No type is given.
        case undeclared
    }

    /// What the value is declared as.
    public var kind: Kind {
        switch proto.type.value {
        case .tensorType: .tensor
        case .sequenceType: .sequence
        case .optionalType: .optional
        case nil: proto.hasType && !proto.type.unknownFields.data.isEmpty ? .other : .undeclared
        }
    }

    /// Whether the value is declared as a tensor, not as a sequence, a map, an optional, or not at all.
    public var isTensor: Bool { kind == .tensor }

    /// Whether the value is declared as a tensor of strings.
    public var isText: Bool { isTensor && proto.type.tensorType.elemType == Initializer.stringCode }

    /// Whether the value is a tensor of numbers, or not declared as anything else.
    public var isNumeric: Bool { kind == .undeclared || (isTensor && !isText) }

    /// The type of the elements; nil if it is not declared or cannot be held by a tensor here.
    public var elementType: ElementType? {
        get { ElementType(onnxCode: Int64(proto.type.tensorType.elemType)) }
        set { proto.type.tensorType.elemType = newValue.map { Int32($0.onnxCode) } ?? 0 }
    }

    /// The axes, outermost first; nil if even their number is not declared.
    public var dimensions: [Dimension]? {
        get {
            guard isTensor, proto.type.tensorType.hasShape else { return nil }
            return proto.type.tensorType.shape.dim.map { dimension in
                switch dimension.value {
                case .dimValue(let length)?: length >= 0 ? .fixed(Int(length)) : .unknown
                case .dimParam(let symbol)?: symbol.isEmpty ? .unknown : .symbol(symbol)
                case nil: .unknown
                }
            }
        }
        set {
            guard let newValue else { return proto.type.tensorType.clearShape() }
            proto.type.tensorType.shape.dim = newValue.map { dimension in
                var message = ProtoDimension()
                switch dimension {
                case .fixed(let length): message.dimValue = Int64(length)
                case .symbol(let symbol): message.dimParam = symbol
                case .unknown: break
                }
                return message
            }
        }
    }
}

extension ValueInfo: Equatable {
    /// Whether two values are equal as messages, unknown fields included.
    public static func == (a: ValueInfo, b: ValueInfo) -> Bool { a.proto == b.proto }
}
