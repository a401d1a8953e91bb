internal import FoundationEssentials
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

    /// Checks dimensions, size and the number of elements in the file without reading an element.
    ///
    /// A tensor of an unsupported element type passes, as long as nobody reads it.
    ///
    /// - Parameter limits: How large a tensor may be.
    /// - Throws: ``ModelError/invalidTensor(_:_:)``.
    /// - Complexity: O(1).
    public func checkSize(_ limits: ModelLimits) throws(ModelError) {
        guard let elementType else { return }
        do throws(TensorFault) {
            let shape = try checkedShape()
            switch try storage(elementType) {
            case .external: break
            case .raw: try RawElements.check(proto.rawData.count, elementType, shape)
            case .typed(let field): try field.check(in: proto, elementType, shape)
            }
            let bytes = shape.elementCount * elementType.byteCount
            guard bytes <= limits.tensorBytes else {
                throw TensorFault.tooLarge(bytes: bytes, limit: limits.tensorBytes)
            }
        } catch {
            throw .invalidTensor(name, error)
        }
    }

    private enum Storage {
        case external
        case raw
        case typed(TypedField)
    }

    private func decoded() throws(TensorFault) -> Tensor {
        guard let elementType else {
            throw .unsupportedElementType(ElementType.name(ofCode: proto.dataType))
        }
        let shape = try checkedShape()
        return switch try storage(elementType) {
        case .external: try externalTensor(elementType, shape)
        case .raw: try RawElements.tensor(proto.rawData, elementType, shape)
        case .typed: try typedTensor(elementType, shape)
        }
    }

    private func checkedShape() throws(TensorFault) -> Shape {
        do { return try Shape(checking: dimensions) } catch { throw .shape(error) }
    }

    private func storage(_ elementType: ElementType) throws(TensorFault) -> Storage {
        guard !proto.hasSegment else { throw .segmented }
        let fields = TypedField.filled(in: proto)
        let hasRawData = proto.hasRawData && (!proto.rawData.isEmpty || fields.isEmpty)
        if isExternal {
            guard fields.isEmpty, !hasRawData else { throw .dataInSeveralFields }
            return .external
        }
        if hasRawData {
            guard fields.isEmpty else { throw .dataInSeveralFields }
            return .raw
        }
        let field = TypedField(for: elementType)
        guard fields.allSatisfy({ $0 == field }) else { throw .dataInSeveralFields }
        return .typed(field)
    }

    private func externalTensor(_ elementType: ElementType, _ shape: Shape) throws(TensorFault) -> Tensor {
        guard let folder else { throw .externalData(.noFolder) }
        let byteCount = elementType.packedByteCount(shape.elementCount)
        let bytes: Data
        do throws(ExternalDataFault) {
            let place = try ExternalDataPlace(entries: proto.externalData.dictionary)
            guard place.length.map({ $0 == byteCount }) ?? true else {
                throw .outOfBounds(location: place.location)
            }
            let isAsInMemory = elementType != .bool && elementType.bitCount >= 8
            if isAsInMemory, byteCount >= ExternalDataFolder.mappedByteCount,
                place.offset % elementType.byteCount == 0
            {
                let map = try folder.map(byteCount, at: place)
                if let tensor = try? Tensor(
                    borrowing: map.bytes,
                    from: map,
                    elementType: elementType,
                    shape: shape
                ) {
                    return tensor
                }
            }
            bytes = try folder.read(byteCount, at: place)
        } catch {
            throw .externalData(error)
        }
        return try RawElements.tensor(bytes, elementType, shape)
    }
}
