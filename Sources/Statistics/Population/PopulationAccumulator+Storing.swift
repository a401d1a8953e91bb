public import TensorCore

/// What an accumulator is of, apart from its sums; with them, its stored form.
public struct AccumulatorOutline: Codable, Sendable, Equatable {
    /// How a part looks at one step.
    public struct Layout: Codable, Sendable, Equatable {
        /// The axes of a step, outermost first.
        public var channels: [Int]
        /// `float32` or `float64`.
        public var elementType: String

        private enum CodingKeys: String, CodingKey {
            case channels
            case elementType = "element_type"
        }
    }

    /// The stem of the labels.
    public var label: String
    /// The number of enclosing loops.
    public var depth: Int
    /// What every batch said, in alphabetical order.
    public var parts: [StatisticPart]
    /// How many batches were added.
    public var batches: Int
    /// The longest extent of each enclosing loop.
    public var extents: [Int]
    /// How the means look; nil if there are none.
    public var mean: Layout?
    /// How the variances look; nil if there are none.
    public var variance: Layout?
}

extension PopulationAccumulator {
    /// What the accumulator is of, apart from its sums.
    public var outline: AccumulatorOutline {
        AccumulatorOutline(
            label: label,
            depth: depth,
            parts: parts.sorted { $0.rawValue < $1.rawValue },
            batches: batches,
            extents: extents,
            mean: meanLayout.map(AccumulatorOutline.Layout.init),
            variance: varianceLayout.map(AccumulatorOutline.Layout.init)
        )
    }

    /// The sums, exactly, in one form for equal accumulators.
    ///
    /// A table is `cells` int64 `[cells, axes]`, `batches` int64 `[cells]`, `sums` uint64 `[cells * width, limbs]` in two's
    /// complement with the lowest limb first, `lowest` int64, the weight of that limb as a power of `2^64`, and
    /// `not_finite` bool `[cells * width]` if there is such a sum.
    public var tensors: [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, table) in [("plain", plain), ("weighted", weighted)] {
            for (part, tensor) in table?.canonical().tensors ?? [:] { tensors["\(name).\(part)"] = tensor }
        }
        return tensors
    }

    /// An accumulator from its stored form.
    ///
    /// - Parameters:
    ///   - outline: What it is of.
    ///   - tensors: Its sums.
    /// - Throws: ``StatisticsError/malformed(label:what:)`` if the form is not one that ``outline`` and ``tensors`` have.
    public init(outline: AccumulatorOutline, tensors: [String: Tensor]) throws(StatisticsError) {
        self.init(label: outline.label, depth: 0, parts: Set(outline.parts))
        let malformed = { what in StatisticsError.malformed(label: outline.label, what: what) }
        guard (0...Shape.maximumRank).contains(outline.depth), outline.extents.count == outline.depth,
            outline.extents.allSatisfy({ (0...Shape.maximumElementCount).contains($0) })
        else { throw malformed("the extents") }
        guard (0...Self.maximumBatches).contains(outline.batches) else { throw malformed("the batches") }
        self = PopulationAccumulator(label: outline.label, depth: outline.depth, parts: parts)
        extents = outline.extents
        batches = outline.batches
        guard batches > 0 else {
            guard tensors.isEmpty, outline.mean == nil, outline.variance == nil,
                extents.allSatisfy({ $0 == 0 })
            else { throw malformed("sums of no batch") }
            return
        }
        meanLayout = try Self.layout(outline.mean, isNeeded: parts.contains(.mean), malformed("the mean"))
        varianceLayout = try Self.layout(
            outline.variance,
            isNeeded: parts.contains(.variance),
            malformed("the variance")
        )
        let counts = [meanLayout, varianceLayout].compactMap { $0?.channels.elementCount }
        guard Set(counts).count == 1 else { throw malformed("the channels") }
        var reader = TableReader(tensors: tensors, batches: batches, extents: extents, label: label)
        plain = try reader.table("plain", width: plainWidth, hasAxes: true)
        if parts.contains(.count) {
            weighted = try reader.table("weighted", width: weightedWidth, hasAxes: false)
        }
        guard reader.unread.isEmpty else { throw malformed("a tensor that belongs to nothing") }
    }

    private static func layout(
        _ layout: AccumulatorOutline.Layout?,
        isNeeded: Bool,
        _ malformed: StatisticsError
    ) throws(StatisticsError) -> Layout? {
        guard let layout else {
            guard !isNeeded else { throw malformed }
            return nil
        }
        guard isNeeded, let elementType = ElementType(rawValue: layout.elementType),
            elementType == .float32 || elementType == .float64,
            let channels = try? Shape(checking: layout.channels)
        else { throw malformed }
        return Layout(channels: channels, elementType: elementType)
    }
}

extension AccumulatorOutline.Layout {
    fileprivate init(_ layout: PopulationAccumulator.Layout) {
        self.init(channels: layout.channels.dimensions, elementType: layout.elementType.rawValue)
    }
}
