internal import Foundation
public import TensorCore

extension Initializer {
    /// Decodes the elements, from raw bytes, from the field of their type, or from a file in the model's folder.
    ///
    /// - Returns: The elements; float16 and bfloat16 as their bits.
    /// - Throws: ``ModelError/invalidTensor(_:_:)`` with what is wrong. Nothing is allocated before the
    ///   dimensions agree with the bytes that are there.
    /// - Complexity: O(elements).
    public func tensor() throws(ModelError) -> Tensor {
        do {
            return try decoded()
        } catch {
            throw .invalidTensor(name, error)
        }
    }

    private func decoded() throws(TensorFault) -> Tensor {
        guard let elementType else {
            throw .unsupportedElementType(ElementType.name(ofCode: proto.dataType))
        }
        let shape: Shape
        do { shape = try Shape(checking: dimensions) } catch { throw .shape(error) }
        guard !proto.hasSegment else { throw .segmented }
        let fields = TypedField.filled(in: proto)
        if isExternal {
            guard fields.isEmpty, !proto.hasRawData else { throw .dataInSeveralFields }
            return try externalTensor(elementType, shape)
        }
        if proto.hasRawData, !proto.rawData.isEmpty || fields.isEmpty {
            guard fields.isEmpty else { throw .dataInSeveralFields }
            return try RawElements.tensor(proto.rawData, elementType, shape)
        }
        guard fields.allSatisfy({ $0 == TypedField(for: elementType) }) else { throw .dataInSeveralFields }
        return try typedTensor(elementType, shape)
    }

    private func externalTensor(_ elementType: ElementType, _ shape: Shape) throws(TensorFault) -> Tensor {
        guard let folder else { throw .externalData(.noFolder) }
        let byteCount = shape.elementCount * elementType.byteCount
        let bytes: Data
        do throws(ExternalDataFault) {
            let place = try ExternalDataPlace(entries: proto.externalData.dictionary)
            guard place.length.map({ $0 == byteCount }) ?? true else {
                throw .outOfBounds(location: place.location)
            }
            bytes = try folder.read(byteCount, at: place)
        } catch {
            throw .externalData(error)
        }
        return try RawElements.tensor(bytes, elementType, shape)
    }
}
