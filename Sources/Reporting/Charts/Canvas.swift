/// An SVG picture under construction: lines, bars and words in coordinates from the top left.
struct Canvas {
    private var markup = Markup()
    private let width: Double
    private let height: Double
    private let title: String
    private let summary: String

    /// An empty picture.
    ///
    /// - Parameters:
    ///   - width: In units of the picture; it is drawn as wide as its place.
    ///   - height: In the same units.
    ///   - title: What the picture is, for those who do not see it.
    ///   - summary: What it shows, in a sentence.
    init(width: Double, height: Double, title: String, summary: String) {
        self.width = width
        self.height = height
        self.title = title
        self.summary = summary
    }

    /// The whole `svg` element.
    ///
    /// - Parameter id: Unique in the page.
    /// - Returns: Markup.
    func svg(id: String) -> String {
        var whole = Markup()
        whole.element(
            "svg",
            [
                ("viewBox", "0 0 \(Figures.coordinate(width)) \(Figures.coordinate(height))"),
                ("role", "img"), ("aria-labelledby", "\(id)-title \(id)-desc"),
            ]
        ) {
            $0.element("title", [("id", "\(id)-title")], title)
            $0.element("desc", [("id", "\(id)-desc")], summary)
            $0.raw(markup.text)
        }
        return whole.text
    }

    mutating func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ style: String) {
        markup.empty(
            "line",
            [
                ("class", style),
                ("x1", Figures.coordinate(from.x)), ("y1", Figures.coordinate(from.y)),
                ("x2", Figures.coordinate(to.x)), ("y2", Figures.coordinate(to.y)),
            ]
        )
    }

    mutating func bar(
        x: ClosedRange<Double>,
        y: ClosedRange<Double>,
        _ style: String,
        hint: String? = nil
    ) {
        let place = [
            ("class", style),
            ("x", Figures.coordinate(x.lowerBound)), ("y", Figures.coordinate(y.lowerBound)),
            ("width", Figures.coordinate(x.upperBound - x.lowerBound)),
            ("height", Figures.coordinate(y.upperBound - y.lowerBound)),
        ]
        guard let hint else { return markup.empty("rect", place) }
        markup.element("rect", place) { $0.element("title", hint) }
    }

    /// A line through points; a point that is not finite interrupts it, and one that stands alone is a dot.
    mutating func path(
        _ points: [(x: Double, y: Double)],
        _ style: String,
        hue: Int? = nil,
        hint: String? = nil
    ) {
        var drawing = ""
        var run: [(x: Double, y: Double)] = []
        func add() {
            guard let first = run.first else { return }
            drawing += "M\(Figures.coordinate(first.x)) \(Figures.coordinate(first.y))"
            if run.count == 1 { drawing += "h.01" }
            for point in run.dropFirst() {
                drawing += "L\(Figures.coordinate(point.x)) \(Figures.coordinate(point.y))"
            }
            run = []
        }
        for point in points {
            if point.x.isFinite && point.y.isFinite { run.append(point) } else { add() }
        }
        add()
        var attributes = [("class", style), ("d", drawing)]
        if let hue { attributes.append(("style", "--hue:\(hue)")) }
        guard let hint else { return markup.empty("path", attributes) }
        markup.element("path", attributes) { $0.element("title", hint) }
    }

    mutating func text(
        _ words: String,
        at place: (x: Double, y: Double),
        _ style: String,
        turned: Bool = false
    ) {
        var attributes = [
            ("class", style), ("x", Figures.coordinate(place.x)), ("y", Figures.coordinate(place.y)),
        ]
        if turned {
            attributes.append(
                ("transform", "rotate(-90 \(Figures.coordinate(place.x)) \(Figures.coordinate(place.y)))")
            )
        }
        markup.element("text", attributes, words)
    }

    /// The vertical axis at the left of a panel: marks, a faint line at each, and what is measured.
    mutating func leftAxis(_ scale: Scale, from left: Double, to right: Double, name: String) {
        for tick in scale.ticks {
            let y = scale(tick)
            line((left, y), (right, y), "grid")
            text(scale.label(tick), at: (left - 8, y + 4), "mark end")
        }
        text(name, at: (14, (scale.range.start + scale.range.end) / 2), "axis middle", turned: true)
    }

    /// The horizontal axis under a panel.
    mutating func bottomAxis(_ scale: Scale, at y: Double, name: String) {
        line((scale.range.start, y), (scale.range.end, y), "base")
        for tick in scale.ticks {
            line((scale(tick), y), (scale(tick), y + 4), "base")
            text(scale.label(tick), at: (scale(tick), y + 18), "mark middle")
        }
        text(name, at: ((scale.range.start + scale.range.end) / 2, y + 36), "axis middle")
    }
}
