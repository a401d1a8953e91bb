/// What the inputs of the next steps give to the gates, for as many steps at once as stay in a cache.
///
/// Made for all steps before the first, it would be written to memory and read from there: for long batches a sixth of a run.
struct StepProjections {
    private let layer: RecurrentLayer
    private let x: UnsafePointer<Float>
    private let places: StepRows
    /// Of the sequences in the order of their rows, longest first.
    private let lengths: [Int]
    /// The number of each row's sequence in `places`.
    private let order: ArraySlice<Int>
    private let isReversed: Bool
    /// The rows that stay in a cache.
    private let roomRows: Int

    /// Steps of a sequence that one product makes at least: a tile of it.
    private static let fewestSteps = GEMM.tileRows

    init(
        _ layer: RecurrentLayer,
        x: UnsafePointer<Float>,
        places: StepRows,
        lengths: [Int],
        order: ArraySlice<Int>,
        isReversed: Bool
    ) {
        self.layer = layer
        self.x = x
        self.places = places
        self.lengths = lengths
        self.order = order
        self.isReversed = isReversed
        // Weights that leave the second-level cache must serve more rows each time they come by.
        let bytes = layer.features * layer.width > 1 << 18 ? 8 << 20 : 512 << 10
        roomRows = bytes / MemoryLayout<Float>.size / max(layer.width, 1)
    }

    /// The steps that are made at once for some sequences.
    private func steps(for rows: Int) -> Int { max(Self.fewestSteps, roomRows / rows) }

    /// The elements that ``make(from:rows:into:_:)`` writes at most.
    var count: Int {
        min(max(Self.fewestSteps * lengths.count, roomRows), lengths.count * lengths[0]) * layer.width
    }

    /// Elements from what one step gives to the next.
    var step: Int { isReversed ? -layer.width : layer.width }

    /// Makes what steps from `first` on give, for the first `rows` sequences.
    ///
    /// - Parameters:
    ///   - first: The first step.
    ///   - rows: The sequences that have it, at least 1.
    ///   - gates: Room for ``count`` elements.
    ///   - inputs: Receives where the first step's `width` elements stand for each sequence.
    /// - Returns: The number of steps, at least 1; fewer where a sequence ends.
    func make(
        from first: Int,
        rows: Int,
        into gates: UnsafeMutablePointer<Float>,
        _ inputs: UnsafeMutableBufferPointer<UnsafePointer<Float>>
    ) -> Int {
        let width = layer.width
        let taken = min(steps(for: rows), lengths[0] - first)
        Parallel.forEach(rows, work: taken * layer.features * width) {
            for row in $0 {
                let own = min(taken, lengths[row] - first)
                let position = isReversed ? lengths[row] - first - own : first
                let target = gates + row * taken * width
                layer.project(
                    x + places.starts[order[row]] + position * places.step,
                    stride: places.step,
                    rows: own,
                    into: target
                )
                inputs[row] = UnsafePointer(target) + (isReversed ? (own - 1) * width : 0)
            }
        }
        return taken
    }
}
