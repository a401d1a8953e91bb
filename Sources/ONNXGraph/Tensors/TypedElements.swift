internal import FoundationEssentials
internal import TensorCore

/// The field of a tensor message that holds elements of a type as numbers.
enum TypedField: CaseIterable {
    case float, int32, string, int64, double, uint64

    /// The field for an element type, by ONNX's rule.
    init(for elementType: ElementType) {
        switch elementType {
        case .float32: self = .float
        case .float64: self = .double
        case .int64: self = .int64
        case .uint32, .uint64: self = .uint64
        default: self = .int32
        }
    }

    private func count(in proto: ProtoTensor) -> Int {
        switch self {
        case .float: proto.floatData.count
        case .int32: proto.int32Data.count
        case .string: proto.stringData.count
        case .int64: proto.int64Data.count
        case .double: proto.doubleData.count
        case .uint64: proto.uint64Data.count
        }
    }

    /// Whether the field holds as many elements as a shape has; those of 4 and 2 bits share numbers of the field.
    func check(
        in proto: ProtoTensor,
        _ elementType: ElementType,
        _ shape: Shape
    ) throws(TensorFault) {
        let count = count(in: proto)
        let expected =
            elementType.isNarrow ? elementType.packedByteCount(shape.elementCount) : shape.elementCount
        guard count == expected else {
            throw .elementCount(expected: expected, actual: count)
        }
    }

    /// The fields that hold elements.
    static func filled(in proto: ProtoTensor) -> [TypedField] {
        allCases.filter { $0.count(in: proto) > 0 }
    }
}

extension Initializer {
    /// The elements of the field for their type.
    func typedTensor(_ elementType: ElementType, _ shape: Shape) throws(TensorFault) -> Tensor {
        switch elementType {
        case .float32: try Self.same(proto.floatData, shape)
        case .float64: try Self.same(proto.doubleData, shape)
        case .int64: try Self.same(proto.int64Data, shape)
        case .uint64: try Self.same(proto.uint64Data, shape)
        case .int32: try Self.same(proto.int32Data, shape)
        case .uint32: try Self.narrowed(proto.uint64Data, to: UInt32.self, .uint32, shape)
        case .int8: try Self.narrowed(proto.int32Data, to: Int8.self, .int8, shape)
        case .int16: try Self.narrowed(proto.int32Data, to: Int16.self, .int16, shape)
        case .uint8: try Self.narrowed(proto.int32Data, to: UInt8.self, .uint8, shape)
        case .uint16: try Self.narrowed(proto.int32Data, to: UInt16.self, .uint16, shape)
        case .float16: try Self.narrowed(proto.int32Data, to: UInt16.self, .float16, shape)
        case .bfloat16: try Self.narrowed(proto.int32Data, to: UInt16.self, .bfloat16, shape)
        case .bool: try Self.narrowed(proto.int32Data.map { $0 == 0 ? 0 : 1 }, to: UInt8.self, .bool, shape)
        default: try narrow(elementType, shape)
        }
    }

    /// Bytes that stand in numbers of their own.
    private func narrow(_ elementType: ElementType, _ shape: Shape) throws(TensorFault) -> Tensor {
        var bytes = Data(capacity: proto.int32Data.count)
        for (index, value) in proto.int32Data.enumerated() {
            guard value >= -128, value <= 255 else { throw .elementOutOfRange(index: index) }
            bytes.append(UInt8(truncatingIfNeeded: value))
        }
        return try RawElements.tensor(bytes, elementType, shape)
    }

    private static func same<T: TensorElement>(_ values: [T], _ shape: Shape) throws(TensorFault) -> Tensor {
        do {
            return try Tensor(values, shape: shape)
        } catch {
            throw .elementCount(expected: shape.elementCount, actual: values.count)
        }
    }

    private static func narrowed<Stored: BinaryInteger, T: FixedWidthInteger & BitwiseCopyable>(
        _ values: [Stored],
        to type: T.Type,
        _ elementType: ElementType,
        _ shape: Shape
    ) throws(TensorFault) -> Tensor {
        guard values.count == shape.elementCount else {
            throw .elementCount(expected: shape.elementCount, actual: values.count)
        }
        var tensor = Tensor(uninitialized: elementType, shape: shape)
        try tensor.withMutableBytes { bytes throws(TensorFault) in
            for (index, value) in values.enumerated() {
                guard let element = T(exactly: value) else { throw .elementOutOfRange(index: index) }
                bytes.storeBytes(of: element, toByteOffset: index * T.bitWidth / 8, as: T.self)
            }
        }
        return tensor
    }
}
