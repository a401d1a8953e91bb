/// How the values of one statistic spread over its channels; with a recalibration, the old values as an outline.
struct HistogramFigure {
    /// What is counted, such as `mean`.
    let name: String
    /// A value for each channel.
    let values: [Double]
    /// The old values.
    let previous: [Double]?

    private static let width = 520.0
    private static let height = 270.0

    /// The picture.
    ///
    /// - Parameters:
    ///   - label: Whose statistic it is.
    ///   - id: Unique in the page.
    /// - Returns: An `svg` element.
    func svg(label: String, id: String) -> String {
        let shown = values + (previous ?? [])
        let x = Scale(around: shown, on: (58, Self.width - 24), marks: 6)
        let finite = shown.filter(\.isFinite)
        let domain = (finite.min() ?? 0)...(finite.max() ?? 1)
        let histogram = Histogram(values, over: previous == nil ? nil : domain)
        let old = previous.map { Histogram($0, over: domain) }
        let largest = max(histogram.counts.max() ?? 0, old?.counts.max() ?? 0)
        let y = Scale(around: [Double(largest)], on: (Self.height - 50, 14), marks: 4, kind: .counts)
        var canvas = Canvas(
            width: Self.width,
            height: Self.height,
            title: "Histogram of the \(name) of \(label)",
            summary: summary
        )
        canvas.leftAxis(y, from: x.range.start, to: x.range.end, name: "channels")
        for (index, count) in histogram.counts.enumerated() where count > 0 {
            let (low, high) = (histogram.edges[index], histogram.edges[index + 1])
            let left = x(low) + 0.75
            canvas.bar(
                x: left...max(x(high) - 0.75, left + 0.5),
                y: y(Double(count))...y(0),
                "bar",
                hint: "\(Figures.number(low)) to \(Figures.number(high)): "
                    + Figures.count(count, "channel", "channels")
            )
        }
        if let old { outline(old, x, y, on: &canvas) }
        canvas.bottomAxis(x, at: y.range.start, name: name)
        return canvas.svg(id: id)
    }

    private func outline(_ old: Histogram, _ x: Scale, _ y: Scale, on canvas: inout Canvas) {
        var points: [(x: Double, y: Double)] = [(x(old.edges[0]), y(0))]
        for (index, count) in old.counts.enumerated() {
            points.append((x(old.edges[index]), y(Double(count))))
            points.append((x(old.edges[index + 1]), y(Double(count))))
        }
        points.append((points[points.count - 1].x, y(0)))
        canvas.path(points, "old", hint: "before")
    }

    private var summary: String {
        let finite = values.filter(\.isFinite).sorted()
        guard let low = finite.first, let high = finite.last else { return "No values." }
        return "\(Figures.count(values.count, "channel", "channels")), from \(Figures.number(low)) to "
            + "\(Figures.number(high)), median \(Figures.number(finite[finite.count / 2]))."
    }
}
