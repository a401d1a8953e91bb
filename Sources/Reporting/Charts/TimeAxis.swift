/// The horizontal axis of steps; of more than 480 steps, every k-th is shown.
struct TimeAxis {
    /// The lengths of the time axes, outermost first.
    let steps: [Int]
    /// The steps that are shown, as numbers in row-major order.
    let columns: [Int]
    private let start: Double
    private let end: Double
    private let stride: Int

    private static let mostColumns = 480

    /// An axis between two coordinates.
    init(steps: [Int], from start: Double, to end: Double) {
        self.steps = steps
        self.start = start
        self.end = end
        let total = steps.reduce(1) { $0.multipliedReportingOverflow(by: max($1, 0)).partialValue }
        stride = max((total + Self.mostColumns - 1) / Self.mostColumns, 1)
        columns = Array(Swift.stride(from: 0, to: max(total, 0), by: stride))
    }

    private var columnWidth: Double { (end - start) / Double(max(columns.count, 1)) }

    /// The coordinates a column fills.
    func cell(_ index: Int, inset: Double = 0) -> ClosedRange<Double> {
        let margin = min(columnWidth * inset, 3)
        let left = start + Double(index) * columnWidth + margin
        return left...max(left, start + Double(index + 1) * columnWidth - margin)
    }

    private func middle(_ index: Int) -> Double { start + (Double(index) + 0.5) * columnWidth }

    /// The points of a line, interrupted where an outer step begins.
    func points(_ values: [Double], _ scale: Scale) -> [(x: Double, y: Double)] {
        var points: [(x: Double, y: Double)] = []
        for (index, value) in values.enumerated() {
            if index > 0 && group(columns[index]) != group(columns[index - 1]) { points.append((.nan, .nan)) }
            points.append((middle(index), value.isFinite ? scale(value) : .nan))
        }
        return points
    }

    /// Where outer steps begin, the first left out.
    var boundaries: [Double] {
        guard steps.count > 1 else { return [] }
        return columns.indices.dropFirst()
            .filter { group(columns[$0]) != group(columns[$0 - 1]) }
            .map { start + Double($0) * columnWidth }
    }

    /// Marks at round steps; with several axes, where outer steps begin and, as far as there is room, in between.
    var marks: [(x: Double, words: String)] {
        let inner = max(steps.last ?? 1, 1)
        let room = 36.0
        let every = Self.round(Int((room / columnWidth).rounded(.up)) * stride)
        var marks: [(x: Double, words: String)] = []
        for (index, column) in columns.enumerated() {
            let place = column % inner
            let nextStart = middle(index + (inner - place + stride - 1) / stride)
            let isStart = place < stride
            guard
                isStart || (place % every < stride && (nextStart - middle(index) >= room || steps.count < 2)),
                middle(index) - (marks.last?.x ?? -room) >= room
            else { continue }
            marks.append((middle(index), words(column)))
        }
        return marks
    }

    /// What the axis measures.
    var name: String {
        let order = steps.count > 1 ? " (outer · inner)" : ""
        let sampled = stride > 1 ? ", one of \(stride) shown" : ""
        return "time step\(order)\(sampled)"
    }

    /// The number of a step on each axis, from 0: `2·0`.
    func words(_ column: Int) -> String {
        var rest = column
        var places: [String] = []
        for length in steps.reversed() {
            places.append(String(rest % max(length, 1)))
            rest /= max(length, 1)
        }
        return places.reversed().joined(separator: "·")
    }

    private func group(_ column: Int) -> Int { steps.count > 1 ? column / max(steps.last ?? 1, 1) : 0 }

    private static func round(_ step: Int) -> Int {
        var power = 1
        while power < 1 << 40 {
            for round in [1, 2, 5] where round * power >= step { return round * power }
            power *= 10
        }
        return power
    }
}
