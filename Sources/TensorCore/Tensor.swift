/// A dense, row-major array of numbers; a value type whose copies share memory until one is written.
///
/// ```swift
/// let x = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
/// x.withElements(of: Float.self) { print($0[4]) }  // 5.0
/// ```
public struct Tensor: Sendable {
    /// The type of the elements.
    public let elementType: ElementType
    /// The lengths of the axes.
    public private(set) var shape: Shape
    private var buffer: TensorBuffer
    private var byteOffset: Int

    private init(elementType: ElementType, shape: Shape, buffer: TensorBuffer, byteOffset: Int) {
        self.elementType = elementType
        self.shape = shape
        self.buffer = buffer
        self.byteOffset = byteOffset
    }

    /// A tensor from values in row-major order.
    ///
    /// - Parameters:
    ///   - values: As many as `shape` has elements.
    ///   - shape: The lengths of the axes.
    /// - Throws: ``ShapeError/elementCountMismatch(expected:actual:)``.
    @inlinable
    public init<T: TensorElement>(_ values: [T], shape: Shape) throws(ShapeError) {
        guard values.count == shape.elementCount else {
            throw .elementCountMismatch(expected: shape.elementCount, actual: values.count)
        }
        self.init(uninitialized: T.elementType, shape: shape)
        let start = start
        values.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { start.copyMemory(from: source, byteCount: bytes.count) }
        }
    }

    /// A tensor of rank 0.
    ///
    /// - Parameter value: Its one element.
    public init<T: TensorElement>(scalar value: T) {
        self.init(of: T.self, shape: Shape()) { $0[0] = value }
    }

    /// A tensor with one value everywhere.
    ///
    /// - Parameters:
    ///   - value: Every element.
    ///   - shape: The lengths of the axes.
    public init<T: TensorElement>(repeating value: T, shape: Shape) {
        self.init(of: T.self, shape: shape) { $0.update(repeating: value) }
    }

    /// A tensor whose memory the closure writes; the memory is aligned to 64 bytes.
    ///
    /// - Parameters:
    ///   - type: The Swift type of the elements.
    ///   - shape: The lengths of the axes.
    ///   - initialize: Must write every element; what stands there before is undefined.
    /// - Throws: What `initialize` throws.
    @inlinable
    public init<T: TensorElement, E: Error>(
        of type: T.Type,
        shape: Shape,
        initialize: (UnsafeMutableBufferPointer<T>) throws(E) -> Void
    ) throws(E) {
        self.init(uninitialized: T.elementType, shape: shape)
        try initialize(writableElements(of: T.self))
    }

    /// A tensor of undefined content, to be written through ``withMutableBytes(_:)``.
    ///
    /// Traps if there is no memory, as Swift's own collections do; ``init(allocating:shape:)`` does not.
    ///
    /// - Parameters:
    ///   - elementType: The type of the elements.
    ///   - shape: The lengths of the axes.
    public init(uninitialized elementType: ElementType, shape: Shape) {
        guard let tensor = Tensor(allocating: elementType, shape: shape) else {
            fatalError("no memory for a tensor of shape \(shape.dimensions)")
        }
        self = tensor
    }

    /// A tensor of undefined content; nil if there is no memory for it.
    ///
    /// - Parameters:
    ///   - elementType: The type of the elements.
    ///   - shape: The lengths of the axes.
    public init?(allocating elementType: ElementType, shape: Shape) {
        guard let buffer = TensorBuffer(byteCount: shape.elementCount * elementType.byteCount) else {
            return nil
        }
        self.init(elementType: elementType, shape: shape, buffer: buffer, byteOffset: 0)
    }

    /// A tensor over memory that another object owns, such as a mapped file; nothing is copied.
    ///
    /// - Parameters:
    ///   - bytes: The elements in row-major order, aligned for the element type, little-endian.
    ///   - owner: Kept alive as long as any tensor refers to the memory; must not change it.
    ///   - elementType: The type of the elements.
    ///   - shape: The lengths of the axes.
    /// - Throws: ``ShapeError/elementCountMismatch(expected:actual:)``.
    public init(
        borrowing bytes: UnsafeRawBufferPointer,
        from owner: AnyObject,
        elementType: ElementType,
        shape: Shape
    ) throws(ShapeError) {
        guard bytes.count == shape.elementCount * elementType.byteCount else {
            throw .elementCountMismatch(
                expected: shape.elementCount,
                actual: bytes.count / elementType.byteCount
            )
        }
        guard let start = bytes.baseAddress, bytes.count > 0 else {
            self.init(uninitialized: elementType, shape: shape)
            return
        }
        self.init(
            elementType: elementType,
            shape: shape,
            buffer: TensorBuffer(borrowing: start, byteCount: bytes.count, from: owner),
            byteOffset: 0
        )
    }

    /// The number of elements.
    public var count: Int { shape.elementCount }
    /// The size of all elements in bytes.
    public var byteCount: Int { shape.elementCount * elementType.byteCount }

    @inlinable
    func writableElements<T: TensorElement>(of type: T.Type) -> UnsafeMutableBufferPointer<T> {
        UnsafeMutableBufferPointer(start: start.assumingMemoryBound(to: T.self), count: shape.elementCount)
    }

    @usableFromInline
    mutating func makeUnique() {
        guard !buffer.isOwned || !isKnownUniquelyReferenced(&buffer) else { return }
        guard let copy = TensorBuffer(byteCount: byteCount) else {
            fatalError("no memory for a tensor of shape \(shape.dimensions)")
        }
        copy.base.copyMemory(from: buffer.base + byteOffset, byteCount: byteCount)
        buffer = copy
        byteOffset = 0
    }

    /// Reads the elements.
    ///
    /// - Parameters:
    ///   - type: The Swift type of ``elementType``; another is a programmer's error and traps.
    ///   - body: Gets all elements in row-major order; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public func withElements<T: TensorElement, R, E: Error>(
        of type: T.Type,
        _ body: (UnsafeBufferPointer<T>) throws(E) -> R
    ) throws(E) -> R {
        precondition(elementType == T.elementType, "element type differs")
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeBufferPointer(writableElements(of: T.self)))
    }

    /// Writes elements in place; copies them first if another tensor shares the memory.
    ///
    /// - Parameters:
    ///   - type: The Swift type of ``elementType``; another is a programmer's error and traps.
    ///   - body: Gets all elements in row-major order; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public mutating func withMutableElements<T: TensorElement, R, E: Error>(
        of type: T.Type,
        _ body: (UnsafeMutableBufferPointer<T>) throws(E) -> R
    ) throws(E) -> R {
        precondition(elementType == T.elementType, "element type differs")
        makeUnique()
        defer { withExtendedLifetime(self) {} }
        return try body(writableElements(of: T.self))
    }

    /// Reads the memory.
    ///
    /// - Parameter body: Gets all bytes; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public func withBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: buffer.base + byteOffset, count: byteCount))
    }

    /// Writes memory in place; copies it first if another tensor shares it.
    ///
    /// - Parameter body: Gets all bytes; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    public mutating func withMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        makeUnique()
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeMutableRawBufferPointer(start: buffer.base + byteOffset, count: byteCount))
    }

    /// The same elements under another shape; no element moves.
    ///
    /// - Parameter shape: A shape with as many elements.
    /// - Returns: A tensor that shares this one's memory.
    /// - Throws: ``ShapeError/elementCountMismatch(expected:actual:)``.
    public func reshaped(to shape: Shape) throws(ShapeError) -> Tensor {
        guard shape.elementCount == count else {
            throw .elementCountMismatch(expected: count, actual: shape.elementCount)
        }
        return Tensor(elementType: elementType, shape: shape, buffer: buffer, byteOffset: byteOffset)
    }

    /// A range of the outermost axis; no element moves.
    ///
    /// - Parameter range: Within `0 ..< shape[0]`; another range, or rank 0, is a programmer's error and traps.
    /// - Returns: A tensor that shares this one's memory.
    public func slice(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "range outside the tensor")
        let rowBytes = shape.elementCount(of: 1..<shape.rank) * elementType.byteCount
        guard let shape = try? shape.replacing(axis: 0, by: range.count) else {
            preconditionFailure("a part is not larger")
        }
        return Tensor(
            elementType: elementType,
            shape: shape,
            buffer: buffer,
            byteOffset: byteOffset + range.lowerBound * rowBytes
        )
    }

    /// One element of the outermost axis, of one rank less; no element moves and nothing is allocated.
    ///
    /// - Parameter index: In `0 ..< shape[0]`; another index, or rank 0, is a programmer's error and traps.
    /// - Returns: A tensor that shares this one's memory.
    public func element(at index: Int) -> Tensor {
        precondition(index >= 0 && index < shape[0], "index outside the tensor")
        let shape = shape.removing(axis: 0)
        return Tensor(
            elementType: elementType,
            shape: shape,
            buffer: buffer,
            byteOffset: byteOffset + index * shape.elementCount * elementType.byteCount
        )
    }

    /// Whether no other tensor shares the memory, so that writing copies nothing.
    ///
    /// - Returns: Whether the memory is this tensor's alone.
    public mutating func isUniquelyReferenced() -> Bool {
        buffer.isOwned && isKnownUniquelyReferenced(&buffer)
    }

    @usableFromInline var start: UnsafeMutableRawPointer { buffer.base + byteOffset }

    /// Reads the elements through a pointer that is never nil.
    ///
    /// - Parameters:
    ///   - type: The Swift type of ``elementType``; another is a programmer's error and traps.
    ///   - body: Gets the first element's place; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public func withPointer<T: TensorElement, R, E: Error>(
        to type: T.Type,
        _ body: (UnsafePointer<T>) throws(E) -> R
    ) throws(E) -> R {
        precondition(elementType == T.elementType, "element type differs")
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafePointer(start.assumingMemoryBound(to: T.self)))
    }

    /// Writes elements in place through a pointer that is never nil; copies them first if they are shared.
    ///
    /// - Parameters:
    ///   - type: The Swift type of ``elementType``; another is a programmer's error and traps.
    ///   - body: Gets the first element's place; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public mutating func withMutablePointer<T: TensorElement, R, E: Error>(
        to type: T.Type,
        _ body: (UnsafeMutablePointer<T>) throws(E) -> R
    ) throws(E) -> R {
        precondition(elementType == T.elementType, "element type differs")
        makeUnique()
        defer { withExtendedLifetime(self) {} }
        return try body(start.assumingMemoryBound(to: T.self))
    }

    /// Reads the memory through a pointer that is never nil.
    ///
    /// - Parameter body: Gets the first byte's place; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public func withRawPointer<R, E: Error>(_ body: (UnsafeRawPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawPointer(start))
    }

    /// Writes memory in place through a pointer that is never nil; copies it first if it is shared.
    ///
    /// - Parameter body: Gets the first byte's place; the pointer is valid only inside.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public mutating func withMutableRawPointer<R, E: Error>(
        _ body: (UnsafeMutableRawPointer) throws(E) -> R
    ) throws(E) -> R {
        makeUnique()
        defer { withExtendedLifetime(self) {} }
        return try body(start)
    }

    /// All elements as an array, in row-major order.
    ///
    /// - Parameter type: The Swift type of ``elementType``; another is a programmer's error and traps.
    /// - Returns: A copy of the elements.
    @inlinable
    public func array<T: TensorElement>(of type: T.Type = T.self) -> [T] {
        withElements(of: type) { Array($0) }
    }
}

extension Tensor: Equatable {
    /// Whether element type, shape and every bit of every element are equal (so NaN equals itself).
    public static func == (a: Tensor, b: Tensor) -> Bool {
        guard a.elementType == b.elementType, a.shape == b.shape else { return false }
        return a.withBytes { left in b.withBytes { right in left.elementsEqual(right) } }
    }
}
