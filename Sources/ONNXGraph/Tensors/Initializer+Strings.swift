internal import FoundationEssentials
public import TensorCore

extension Initializer {
    /// ONNX's number for the type of strings.
    static let stringCode: Int32 = 8

    /// A new constant of strings.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - strings: Its elements.
    public init(_ name: String, _ strings: StringTensor) {
        var proto = ProtoTensor()
        proto.name = name
        proto.dims = strings.shape.dimensions.map(Int64.init)
        proto.dataType = Self.stringCode
        proto.stringData = strings.values.map { Data($0.utf8) }
        self.init(proto: proto, folder: nil)
    }

    /// Whether the elements are strings, which ``tensor()`` cannot give.
    public var isText: Bool { proto.dataType == Self.stringCode }

    /// Decodes the elements of a tensor of strings; bytes that are not UTF-8 are replaced.
    ///
    /// - Returns: The strings.
    /// - Throws: ``ModelError/invalidTensor(_:_:)`` with what is wrong.
    /// - Complexity: O(bytes).
    public func strings() throws(ModelError) -> StringTensor {
        do throws(TensorFault) {
            guard isText else { throw .unsupportedElementType(ElementType.name(ofCode: proto.dataType)) }
            guard !proto.hasSegment else { throw .segmented }
            guard !isExternal, !proto.hasRawData else { throw .dataInSeveralFields }
            let values = proto.stringData.map { String(decoding: $0, as: UTF8.self) }
            let shape: Shape
            do throws(ShapeError) { shape = try Shape(checking: dimensions) } catch { throw .shape(error) }
            do throws(ShapeError) {
                return try StringTensor(values, shape: shape)
            } catch {
                throw .elementCount(expected: shape.elementCount, actual: values.count)
            }
        } catch {
            throw .invalidTensor(name, error)
        }
    }
}
