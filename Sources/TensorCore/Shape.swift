/// The lengths of a tensor's axes, outermost first; stored in place, so making one allocates nothing.
///
/// Every shape is valid by construction: at most ``maximumRank`` axes, no negative length, and an element
/// count of at most ``maximumElementCount``, or ``maximumEmptyCount`` where an axis of length 0 is left out.
public struct Shape: Sendable {
    /// The most axes a shape can have.
    public static let maximumRank = 8
    /// The most elements a tensor can have.
    public static let maximumElementCount = 1 << 31
    /// The largest product of the other lengths if one is 0: rows without elements take no memory, but time.
    public static let maximumEmptyCount = 1 << 24

    @usableFromInline var lengths: InlineArray<8, Int>
    /// The number of axes; 0 for a scalar.
    public private(set) var rank: Int
    /// The product of all lengths; 1 for a scalar.
    public private(set) var elementCount: Int

    /// The shape of a scalar.
    public init() {
        lengths = InlineArray(repeating: 1)
        rank = 0
        elementCount = 1
    }

    /// A shape from its axes' lengths.
    ///
    /// - Parameter dimensions: Lengths, outermost first.
    /// - Throws: ``ShapeError/rankTooHigh(rank:limit:)``, ``ShapeError/negativeDimension(axis:length:)`` or
    ///   ``ShapeError/tooLarge(dimensions:)``.
    @inlinable
    public init(checking dimensions: some Collection<Int>) throws(ShapeError) {
        guard dimensions.count <= Self.maximumRank else {
            throw .rankTooHigh(rank: dimensions.count, limit: Self.maximumRank)
        }
        var lengths = InlineArray<8, Int>(repeating: 1)
        var axis = 0
        for length in dimensions {
            lengths[axis] = length
            axis += 1
        }
        try self.init(lengths: lengths, rank: axis)
    }

    /// A shape from lengths stored in place; what stands behind `rank` is ignored.
    @usableFromInline
    init(lengths: InlineArray<8, Int>, rank: Int) throws(ShapeError) {
        self.lengths = lengths
        self.rank = rank
        elementCount = 1
        var count = 1
        var isEmpty = false
        for axis in 0..<rank {
            let length = lengths[axis]
            guard length >= 0 else { throw .negativeDimension(axis: axis, length: length) }
            isEmpty = isEmpty || length == 0
            // An axis of length 0 does not excuse the others: the product of any of them must fit.
            let (product, overflow) = count.multipliedReportingOverflow(by: max(length, 1))
            guard !overflow && product <= Self.maximumElementCount else {
                throw .tooLarge(dimensions: self.dimensions)
            }
            count = product
        }
        guard !isEmpty || count <= Self.maximumEmptyCount else {
            throw .tooLarge(dimensions: self.dimensions)
        }
        elementCount = isEmpty ? 0 : count
    }

    /// The lengths as an array; allocates, so not for the hot path.
    public var dimensions: [Int] { (0..<rank).map { lengths[$0] } }

    /// The length of an axis in `0 ..< rank`.
    @inlinable
    public subscript(axis: Int) -> Int {
        precondition(axis >= 0 && axis < rank, "axis outside the shape")
        return lengths[axis]
    }

    /// The product of the lengths of a range of axes.
    ///
    /// - Parameter axes: A range within `0 ... rank`.
    /// - Returns: The product; 1 for an empty range.
    public func elementCount(of axes: Range<Int>) -> Int {
        var count = 1
        for axis in axes { count *= self[axis] }
        return count
    }

    /// The axis in `0 ..< rank` that an ONNX axis attribute names; negative ones count from the end.
    ///
    /// - Parameter axis: An axis in `-rank ..< rank`.
    /// - Returns: The same axis in `0 ..< rank`.
    /// - Throws: ``ShapeError/axisOutOfRange(axis:rank:)``.
    public func normalizedAxis(_ axis: Int) throws(ShapeError) -> Int {
        guard axis >= -rank && axis < rank else { throw .axisOutOfRange(axis: axis, rank: rank) }
        return axis < 0 ? axis + rank : axis
    }

    /// The shape two operands are broadcast to, by ONNX's multidirectional (numpy's) rule.
    ///
    /// - Parameter other: The other operand's shape.
    /// - Returns: Per axis, counted from the last, the length that is not 1, or 1.
    /// - Throws: ``ShapeError/notBroadcastable(_:_:)``; ``ShapeError/tooLarge(dimensions:)``.
    public func broadcast(with other: Shape) throws(ShapeError) -> Shape {
        if self == other { return self }
        let rank = max(self.rank, other.rank)
        var result = InlineArray<8, Int>(repeating: 1)
        for axis in 0..<rank {
            let a = axis - (rank - self.rank)
            let b = axis - (rank - other.rank)
            let left = a < 0 ? 1 : lengths[a]
            let right = b < 0 ? 1 : other.lengths[b]
            guard left == right || left == 1 || right == 1 else {
                throw .notBroadcastable(dimensions, other.dimensions)
            }
            result[axis] = left == 1 ? right : left
        }
        return try Shape(lengths: result, rank: rank)
    }

    /// The shape without one axis; allocates nothing.
    ///
    /// - Parameter axis: An axis in `0 ..< rank`.
    /// - Returns: A shape of one rank less.
    public func removing(axis: Int) -> Shape {
        precondition(axis >= 0 && axis < rank, "axis outside the shape")
        var shape = self
        for next in axis..<(rank - 1) { shape.lengths[next] = lengths[next + 1] }
        shape.rank -= 1
        var count = 1
        for axis in 0..<shape.rank { count *= shape.lengths[axis] }
        shape.elementCount = count
        return shape
    }

    /// The shape with one more axis; allocates nothing.
    ///
    /// - Parameters:
    ///   - length: The length of the new axis, at least 0.
    ///   - axis: Where it stands afterwards, in `0 ... rank`.
    /// - Returns: A shape of one rank more.
    /// - Throws: ``ShapeError/rankTooHigh(rank:limit:)``, ``ShapeError/negativeDimension(axis:length:)`` or
    ///   ``ShapeError/tooLarge(dimensions:)``.
    public func inserting(_ length: Int, at axis: Int) throws(ShapeError) -> Shape {
        precondition(axis >= 0 && axis <= rank, "axis outside the shape")
        guard rank < Self.maximumRank else { throw .rankTooHigh(rank: rank + 1, limit: Self.maximumRank) }
        var result = lengths
        for next in axis..<rank { result[next + 1] = lengths[next] }
        result[axis] = length
        return try Shape(lengths: result, rank: rank + 1)
    }

    /// The shape with another length of one axis; allocates nothing.
    ///
    /// - Parameters:
    ///   - axis: An axis in `0 ..< rank`.
    ///   - length: Its new length, at least 0.
    /// - Returns: A shape of the same rank.
    /// - Throws: ``ShapeError/negativeDimension(axis:length:)`` or ``ShapeError/tooLarge(dimensions:)``.
    public func replacing(axis: Int, by length: Int) throws(ShapeError) -> Shape {
        precondition(axis >= 0 && axis < rank, "axis outside the shape")
        var result = lengths
        result[axis] = length
        return try Shape(lengths: result, rank: rank)
    }
}

extension Shape: Hashable {
    /// Whether rank and all lengths are equal.
    public static func == (a: Shape, b: Shape) -> Bool {
        guard a.rank == b.rank else { return false }
        for axis in 0..<a.rank where a.lengths[axis] != b.lengths[axis] { return false }
        return true
    }

    /// Feeds rank and lengths to the hasher.
    ///
    /// - Parameter hasher: The hasher to feed.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(rank)
        for axis in 0..<rank { hasher.combine(lengths[axis]) }
    }
}

extension Shape: ExpressibleByArrayLiteral, CustomStringConvertible {
    /// A shape written in the source; a literal that breaks the rules of ``init(checking:)`` traps.
    public init(arrayLiteral elements: Int...) {
        do { self = try Shape(checking: elements) } catch { preconditionFailure("\(error)") }
    }

    /// As a Swift array: `[3, 64, 15]`.
    public var description: String { dimensions.description }
}
