internal import FoundationEssentials
internal import SwiftProtobuf
public import TensorCore

/// A named constant tensor of a graph, or the tensor of an attribute.
public struct Initializer: Sendable {
    var proto: ProtoTensor
    let folder: ExternalDataFolder?

    init(proto: ProtoTensor, folder: ExternalDataFolder?) {
        self.proto = proto
        self.folder = folder
    }

    /// A new constant, stored as raw bytes.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - tensor: Its elements.
    public init(_ name: String, _ tensor: Tensor) {
        proto = ProtoTensor()
        folder = nil
        proto.name = name
        set(tensor)
    }

    /// The constant's name; may be empty in an attribute.
    public var name: String {
        get { proto.name }
        set { proto.name = newValue }
    }

    /// The type of the elements; nil if it cannot be held by a tensor here.
    public var elementType: ElementType? { ElementType(onnxCode: Int64(proto.dataType)) }

    /// The lengths of the axes as the file has them; they may be absurd until ``tensor()`` has accepted them.
    public var dimensions: [Int] { proto.dims.map { Int($0) } }

    /// Whether the elements are in another file.
    public var isExternal: Bool { proto.dataLocation == 1 }

    /// Puts other elements in the place of these; name and unknown fields stay.
    ///
    /// - Parameter tensor: The elements.
    public mutating func replaceElements(by tensor: Tensor) {
        proto.clearSegment()
        proto.floatData = []
        proto.int32Data = []
        proto.stringData = []
        proto.int64Data = []
        proto.doubleData = []
        proto.uint64Data = []
        proto.externalData = []
        proto.clearDataLocation()
        set(tensor)
    }

    private mutating func set(_ tensor: Tensor) {
        proto.dims = tensor.shape.dimensions.map(Int64.init)
        proto.dataType = Int32(tensor.elementType.onnxCode)
        proto.rawData = Data(tensor.packedBytes)
    }
}

extension Initializer: Equatable {
    /// Whether two constants are equal as messages, unknown fields included.
    public static func == (a: Initializer, b: Initializer) -> Bool { a.proto == b.proto }
}
