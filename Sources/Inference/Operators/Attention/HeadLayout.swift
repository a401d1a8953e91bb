import TensorCore

/// Where the rows of each head stand in queries, keys or values: `[B, heads, L, width]` or `[B, L, heads * width]`.
struct HeadLayout {
    let heads: Int
    let length: Int
    let width: Int
    /// Whether the heads of one position lie side by side.
    let isPacked: Bool

    init(heads: Int, length: Int, width: Int, isPacked: Bool) {
        self.heads = heads
        self.length = length
        self.width = width
        self.isPacked = isPacked
    }

    /// The layout of an input.
    ///
    /// - Parameters:
    ///   - shape: Of rank 3 or 4.
    ///   - heads: The number of heads the attribute says; a tensor of rank 3 cannot do without.
    ///   - attribute: The attribute's name.
    ///   - input: The input's number.
    /// - Throws: The rank, or the attribute that does not fit.
    init(_ shape: Shape, heads: Int?, attribute: String, input: Int) throws(OperatorError) {
        switch shape.rank {
        case 4:
            if let heads, heads != shape[1] { throw .attributeValue(attribute) }
            self.init(heads: shape[1], length: shape[2], width: shape[3], isPacked: false)
        case 3:
            guard let heads else { throw .missingAttribute(attribute) }
            guard heads > 0, shape[2] % heads == 0 else { throw .attributeValue(attribute) }
            self.init(heads: heads, length: shape[1], width: shape[2] / heads, isPacked: true)
        default: throw .unsupportedRank(shape.rank, input: input)
        }
    }

    /// The distance from one position to the next.
    var rowStride: Int { isPacked ? heads * width : width }

    /// The first element of a head of a sample.
    func start(batch: Int, head: Int) -> Int {
        batch * heads * length * width + (isPacked ? head * width : head * length * width)
    }

    /// The tensor's shape.
    func shape(batch: Int) throws(OperatorError) -> Shape {
        let (hidden, overflow) = heads.multipliedReportingOverflow(by: width)
        guard !overflow else { throw .shape(.tooLarge(dimensions: [heads, width])) }
        return try Shape.checked(isPacked ? [batch, length, hidden] : [batch, heads, length, width])
    }
}
