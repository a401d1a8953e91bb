internal import FoundationEssentials
internal import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a file says of its tensors, checked against the file's length.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        let elementType: ElementType
        let shape: Shape
        /// Counted from the end of the header.
        let range: Range<Int>
    }

    private(set) var metadata: [String: String] = [:]
    /// In the order of their bytes.
    private(set) var entries: [Entry] = []
    /// Where the elements begin.
    let end: Int

    /// Reads the header of a file.
    ///
    /// - Parameters:
    ///   - beginning: The bytes up to the end of the header at least, or all there are.
    ///   - byteCount: The length of the whole file.
    /// - Throws: ``SafetensorsError``.
    init(of beginning: Data, in byteCount: Int) throws(SafetensorsError) {
        let claim = try Self.claim(in: beginning)
        guard claim <= UInt64(SafetensorsFile.maximumHeaderByteCount) else {
            throw .headerTooLong(byteCount: claim, limit: SafetensorsFile.maximumHeaderByteCount)
        }
        guard Int(claim) <= beginning.count - 8 else { throw .truncatedHeader }
        end = 8 + Int(claim)
        do {
            try beginning.withUnsafeBytes { bytes in
                try read(UnsafeRawBufferPointer(rebasing: bytes[8..<end]))
            }
        } catch let error as SafetensorsError {
            throw error
        } catch {
            throw .truncatedHeader
        }
        try checkPlaces(in: byteCount - end)
    }

    /// How many bytes the header says it has after the first eight.
    static func claim(in beginning: Data) throws(SafetensorsError) -> UInt64 {
        guard beginning.count >= 8 else { throw .truncatedHeader }
        return beginning.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        var scanner = HeaderScanner(bytes)
        var names: Set<String> = []
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        try scanner.list("{", "}") { scanner throws(SafetensorsError) in
            let name = try scanner.string()
            guard names.insert(name).inserted else { throw .duplicateName(name) }
            try scanner.expect(":")
            if name == SafetensorsFile.metadataKey {
                metadata = try Self.metadata(&scanner)
            } else {
                entries.append(try Self.entry(name, &scanner))
            }
        }
        try scanner.expectEnd()
        self.metadata = metadata
        self.entries = entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
    }

    private static func metadata(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> [String: String]
    {
        var metadata: [String: String] = [:]
        try scanner.list("{", "}") { scanner throws(SafetensorsError) in
            let key = try scanner.string()
            try scanner.expect(":")
            guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
                throw .duplicateName(key)
            }
        }
        return metadata
    }

    private static func entry(
        _ name: String,
        _ scanner: inout HeaderScanner
    ) throws(SafetensorsError) -> Entry {
        var type: String?
        var dimensions: [Int]?
        var offsets: [Int]?
        try scanner.list("{", "}") { scanner throws(SafetensorsError) in
            let property = try scanner.string()
            try scanner.expect(":")
            switch property {
            case "dtype" where type == nil: type = try scanner.string()
            case "shape" where dimensions == nil: dimensions = try integers(&scanner)
            case "data_offsets" where offsets == nil: offsets = try integers(&scanner)
            default: throw scanner.fault(.unknownProperty)
            }
        }
        guard let type else { throw .missingProperty("dtype", tensor: name) }
        guard let dimensions else { throw .missingProperty("shape", tensor: name) }
        guard let offsets, offsets.count == 2 else { throw .missingProperty("data_offsets", tensor: name) }
        guard let elementType = ElementType(safetensorsName: type) else {
            throw .unknownElementType(type, tensor: name)
        }
        guard offsets[0] <= offsets[1] else { throw .outOfBounds(tensor: name) }
        let shape: Shape
        do { shape = try Shape(checking: dimensions) } catch { throw .invalidShape(error, tensor: name) }
        return Entry(name: name, elementType: elementType, shape: shape, range: offsets[0]..<offsets[1])
    }

    private static func integers(_ scanner: inout HeaderScanner) throws(SafetensorsError) -> [Int] {
        var numbers: [Int] = []
        try scanner.list("[", "]") { scanner throws(SafetensorsError) in numbers.append(try scanner.integer())
        }
        return numbers
    }

    private func checkPlaces(in byteCount: Int) throws(SafetensorsError) {
        var position = 0
        for entry in entries {
            guard entry.range.upperBound <= byteCount else { throw .outOfBounds(tensor: entry.name) }
            guard entry.range.lowerBound == position else { throw .notContiguous(tensor: entry.name) }
            position = entry.range.upperBound
            let expected = entry.shape.elementCount * entry.elementType.byteCount
            guard expected == entry.range.count else {
                throw .byteCount(tensor: entry.name, expected: expected, actual: entry.range.count)
            }
        }
        guard position == byteCount else { throw .trailingBytes(byteCount - position) }
    }
}

extension SafetensorsHeader.Entry {
    /// A copy of the elements.
    func tensor(in file: Data, after header: Int) throws(SafetensorsError) -> Tensor {
        var tensor = Tensor(uninitialized: elementType, shape: shape)
        tensor.withMutableBytes { target in
            file.withUnsafeBytes { source in
                let first = header + range.lowerBound
                target.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[first..<(first + range.count)])
                )
            }
        }
        if elementType == .bool {
            guard tensor.withBytes({ $0.allSatisfy { $0 <= 1 } }) else { throw .invalidBool(tensor: name) }
        }
        return tensor
    }
}

extension ElementType {
    private static let safetensorsNames: [(type: ElementType, name: String)] = [
        (.float64, "F64"), (.float32, "F32"), (.float16, "F16"), (.bfloat16, "BF16"),
        (.int64, "I64"), (.int32, "I32"), (.int16, "I16"), (.int8, "I8"),
        (.uint64, "U64"), (.uint32, "U32"), (.uint16, "U16"), (.uint8, "U8"), (.bool, "BOOL"),
    ]

    init?(safetensorsName name: String) {
        guard let pair = Self.safetensorsNames.first(where: { $0.name == name }) else { return nil }
        self = pair.type
    }

    var safetensorsName: String { Self.safetensorsNames.first { $0.type == self }?.name ?? rawValue }
}
