extension ElementType {
    /// Whether numbers of the type are only stored: floats of 8 and 4 bits, integers of 4 and 2.
    ///
    /// An integer has a byte that holds its value, a float a byte with its bits at the low end.
    public var isNarrow: Bool { bitCount < 8 || isNarrowFloat }

    /// Whether the type is one of floats of 8 or 4 bits.
    public var isNarrowFloat: Bool {
        switch self {
        case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1: true
        default: false
        }
    }

    /// The bits of one element in a file.
    public var bitCount: Int {
        switch self {
        case .int4, .uint4, .float4e2m1: 4
        case .int2, .uint2: 2
        default: 8 * byteCount
        }
    }

    /// The bytes of elements in a file, where those of 4 and 2 bits share bytes.
    ///
    /// - Parameter count: The number of elements.
    /// - Returns: The number of bytes.
    public func packedByteCount(_ count: Int) -> Int {
        guard bitCount < 8 else { return count * byteCount }
        let shared = 8 / bitCount
        return count / shared + (count % shared == 0 ? 0 : 1)
    }

    /// The type itself, or for a narrow one the smallest type with all its values that can be computed with.
    public var widened: ElementType {
        if isNarrowFloat { return .float32 }
        return switch self {
        case .int4, .int2: .int8
        case .uint4, .uint2: .uint8
        default: self
        }
    }

    /// The numbers of an integer type of 4 or 2 bits; nil for all others.
    public var narrowRange: ClosedRange<Int>? {
        switch self {
        case .int4: -8...7
        case .uint4: 0...15
        case .int2: -2...1
        case .uint2: 0...3
        default: nil
        }
    }
}

extension Tensor {
    /// The same memory as elements of another type of the same size.
    ///
    /// - Parameter type: The other type.
    /// - Returns: The tensor; itself if the sizes differ.
    /// - Complexity: O(n), one copy.
    public func reinterpreted(as type: ElementType) -> Tensor {
        guard type.byteCount == elementType.byteCount else { return self }
        var result = Tensor(uninitialized: type, shape: shape)
        result.withMutableBytes { target in withBytes { target.copyMemory(from: $0) } }
        return result
    }

    /// The same numbers in ``ElementType/widened``.
    ///
    /// - Complexity: O(n) for a narrow type, else O(1).
    public var widened: Tensor {
        guard elementType.isNarrow else { return self }
        guard let format = NarrowFloat(elementType) else { return reinterpreted(as: elementType.widened) }
        return Tensor(of: Float.self, shape: shape) { target in
            withBytes { codes in
                for index in target.indices { target[index] = format.values[Int(codes[index]) & format.mask] }
            }
        }
    }

    /// The elements as a file has them: row-major, little-endian, those of 4 and 2 bits from the low end of their byte.
    public var packedBytes: [UInt8] {
        let bits = elementType.bitCount
        return withBytes { bytes in
            guard bits < 8 else { return Array(bytes) }
            let shared = 8 / bits
            var packed = [UInt8](repeating: 0, count: elementType.packedByteCount(count))
            for index in 0..<count {
                packed[index / shared] |= (bytes[index] & (1 << bits - 1)) << (index % shared * bits)
            }
            return packed
        }
    }

    /// A tensor of a type whose elements share bytes in a file.
    ///
    /// - Parameters:
    ///   - bytes: As ``packedBytes`` has them.
    ///   - elementType: A type of 4 or 2 bits.
    ///   - shape: The lengths of the axes.
    /// - Throws: ``ShapeError/elementCountMismatch(expected:actual:)``.
    public init(
        packed bytes: some Collection<UInt8>,
        elementType: ElementType,
        shape: Shape
    ) throws(ShapeError) {
        let count = shape.elementCount
        let bits = elementType.bitCount
        guard bits < 8, bytes.count == elementType.packedByteCount(count) else {
            throw .elementCountMismatch(expected: count, actual: bytes.count)
        }
        self.init(uninitialized: elementType, shape: shape)
        let isSigned = (elementType.narrowRange?.lowerBound ?? 0) < 0
        withMutableBytes { target in
            var index = 0
            for byte in bytes {
                for place in 0..<8 / bits where index < count {
                    let element = (byte >> (place * bits)) & (1 << bits - 1)
                    let isNegative = isSigned && element >> (bits - 1) == 1
                    target[index] = isNegative ? element | (0xff << bits) : element
                    index += 1
                }
            }
        }
    }
}
