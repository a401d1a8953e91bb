/// Values of some channels over time steps and, under them on the same time axis, how much each step rests on.
///
/// Several time axes are laid side by side, the innermost fastest, with a line where an outer step begins.
struct TimeFigure {
    /// One panel of lines.
    struct Panel {
        /// What is measured, such as `mean`.
        let name: String
        /// The values.
        let series: StatisticSeries
        /// The old values, drawn dashed.
        let previous: StatisticSeries?
    }

    /// One panel of bars.
    struct Support {
        /// What is counted, such as `batches`.
        let name: String
        /// A number for each step.
        let counts: [Double]
    }

    /// The panels of lines, from the top.
    let panels: [Panel]
    /// The panels of bars under them.
    let supports: [Support]
    /// The lengths of the time axes, outermost first.
    let steps: [Int]
    /// The channels that are drawn.
    let channels: [Int]

    private static let width = 1080.0
    private static let left = 70.0
    private static let panelHeight = 190.0
    private static let supportHeight = 84.0
    private static let gap = 22.0

    /// At most 20 channels, spread evenly over all.
    ///
    /// - Parameter count: The number of channels.
    /// - Returns: Ascending.
    static func channels(of count: Int) -> [Int] {
        let shown = min(count, 20)
        return (0..<shown).map { shown == 1 ? 0 : $0 * (count - 1) / (shown - 1) }
    }

    /// The picture.
    ///
    /// - Parameters:
    ///   - label: Whose statistic it is.
    ///   - id: Unique in the page.
    /// - Returns: An `svg` element.
    func svg(label: String, id: String) -> String {
        let top = 12.0
        let height =
            top + Double(panels.count) * (Self.panelHeight + Self.gap)
            + Double(supports.count) * (Self.supportHeight + Self.gap) + 34
        let axis = TimeAxis(steps: steps, from: Self.left, to: Self.width - 14)
        var canvas = Canvas(
            width: Self.width,
            height: height,
            title: "\(panels.map(\.name).joined(separator: " and ")) of \(label) over time steps",
            summary: summary
        )
        var y = top
        let bottom = height - 34 - Self.gap
        shadeUnreached(axis, top, bottom, on: &canvas)
        for boundary in axis.boundaries { canvas.line((boundary, top), (boundary, bottom), "boundary") }
        for panel in panels {
            draw(panel, axis, y, on: &canvas)
            y += Self.panelHeight + Self.gap
        }
        for support in supports {
            draw(support, axis, y, on: &canvas)
            y += Self.supportHeight + Self.gap
        }
        canvas.line((Self.left, bottom), (Self.width - 14, bottom), "base")
        for (x, words) in axis.marks {
            canvas.line((x, bottom), (x, bottom + 4), "base")
            canvas.text(words, at: (x, bottom + 18), "mark middle")
        }
        canvas.text(axis.name, at: ((Self.left + Self.width - 14) / 2, bottom + 38), "axis middle")
        return canvas.svg(id: id)
    }

    private func shadeUnreached(_ axis: TimeAxis, _ top: Double, _ bottom: Double, on canvas: inout Canvas) {
        guard let reached = supports.first?.counts else { return }
        for (index, column) in axis.columns.enumerated() where column < reached.count && reached[column] == 0
        {
            canvas.bar(x: axis.cell(index), y: top...bottom, "unreached", hint: "reached by no batch")
        }
    }

    private func draw(_ panel: Panel, _ axis: TimeAxis, _ top: Double, on canvas: inout Canvas) {
        let lines = channels.map { channel in
            (channel, axis.columns.map { value(panel.series, $0, channel) })
        }
        let older = panel.previous.map { old in
            channels.map { channel in axis.columns.map { value(old, at: $0, channel) } }
        }
        let scale = Scale(
            around: (lines.map(\.1) + (older ?? [])).joined(),
            on: (top + Self.panelHeight, top),
            marks: 4
        )
        canvas.leftAxis(scale, from: Self.left, to: Self.width - 14, name: panel.name)
        for (index, line) in (older ?? []).enumerated() {
            let hue = Self.hue(index, of: channels.count)
            canvas.path(axis.points(line, scale), "trace old-trace", hue: hue, hint: "before")
        }
        for (index, line) in lines.enumerated() {
            canvas.path(
                axis.points(line.1, scale),
                "trace",
                hue: Self.hue(index, of: channels.count),
                hint: "channel \(line.0)"
            )
        }
    }

    private func draw(_ support: Support, _ axis: TimeAxis, _ top: Double, on canvas: inout Canvas) {
        let counts = axis.columns.map { $0 < support.counts.count ? support.counts[$0] : 0 }
        let scale = Scale(
            around: counts,
            on: (top + Self.supportHeight, top),
            marks: 2,
            kind: .counts
        )
        canvas.leftAxis(scale, from: Self.left, to: Self.width - 14, name: support.name)
        for (index, count) in counts.enumerated() where count > 0 {
            canvas.bar(
                x: axis.cell(index, inset: 0.08),
                y: scale(count)...scale(0),
                "support",
                hint: "step \(axis.words(axis.columns[index])): \(Figures.count(Int(min(count, 1e15)))) "
                    + support.name
            )
        }
    }

    private func value(_ series: StatisticSeries, _ step: Int, _ channel: Int) -> Double {
        let index = step * series.channels + channel
        return channel < series.channels && index < series.values.count ? Double(series.values[index]) : .nan
    }

    /// A value of a series with other time axes at a step of this figure's.
    private func value(_ series: StatisticSeries, at step: Int, _ channel: Int) -> Double {
        guard series.steps.count == steps.count else { return .nan }
        var rest = step
        var row = 0
        var stride = 1
        for (own, other) in zip(steps, series.steps).reversed() {
            let place = rest % max(own, 1)
            rest /= max(own, 1)
            guard place < other else { return .nan }
            row += place * stride
            stride *= other
        }
        return value(series, row, channel)
    }

    /// From blue over red to yellow-green, so that neighbouring channels look alike.
    static func hue(_ index: Int, of count: Int) -> Int { 215 + (count > 1 ? 230 * index / (count - 1) : 0) }

    private var summary: String {
        let reached = supports.first?.counts.max().map { Figures.count(Int(min($0, 1e15))) } ?? "no"
        let last = supports.first?.counts.last.map { Figures.count(Int(min($0, 1e15))) } ?? "none"
        let lengths = steps.map(Figures.count).joined(separator: " by ")
        let drawn = "\(lengths) steps, \(Figures.count(channels.count, "channel", "channels")) drawn"
        guard let support = supports.first else { return drawn + "." }
        return drawn + "; at most \(reached) \(support.name) reached a step, \(last) the last."
    }
}
