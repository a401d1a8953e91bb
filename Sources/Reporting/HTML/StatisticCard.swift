/// The part of the page that shows one normalization's statistics.
struct StatisticCard {
    let statistic: StatisticReport
    /// Unique in the page.
    let id: String

    /// Adds the card.
    func write(to main: inout Markup) {
        let change = StatisticChange(statistic)
        main.element("section", [("class", "card"), ("id", id), ("aria-labelledby", "\(id)-name")]) { card in
            card.element("h2", [("id", "\(id)-name")], statistic.label)
            card.element("p", [("class", "place")]) { place in
                place.element("code", statistic.path)
                place.write(" · \(statistic.origin) · \(statistic.estimator) · \(support)")
            }
            if let change { write(change, to: &card) }
            if statistic.steps.isEmpty { histograms(&card) } else { timeFigure(&card) }
            if let change { changeFigure(change, &card) }
        }
    }

    private var support: String {
        let most = statistic.coverage.max() ?? 0
        var words = Figures.count(most, "batch", "batches")
        let least = statistic.coverage.min() ?? most
        if !statistic.steps.isEmpty {
            words += least == most ? " at every step" : " at most, \(Figures.count(least)) at least"
        } else if let positions = statistic.positions?.first {
            words += ", \(Figures.count(Int(min(max(positions, 0), 1e15)))) positions"
        }
        return words
    }

    private func write(_ change: StatisticChange, to card: inout Markup) {
        card.element("p", [("class", "change")]) { words in
            words.write("Against the old statistics: means moved by at most ")
            words.element("b", "\(Figures.number(change.largestShift)) standard deviations")
            words.write(", variances are ")
            words.element(
                "b",
                "\(Figures.number(change.ratios.lowerBound)) to \(Figures.number(change.ratios.upperBound)) times"
            )
            words.write(" the old; divergence ")
            words.element("b", "\(Figures.number(change.divergence)) nats")
            words.write(" a channel on average.")
        }
    }

    private func histograms(_ card: inout Markup) {
        let series = [
            (statistic.variance == nil ? "value" : "mean", statistic.mean, statistic.previous?.mean),
            ("variance", statistic.variance, statistic.previous?.variance),
        ]
        card.element("div", [("class", "pair")]) { pair in
            for (name, values, old) in series {
                guard let values else { continue }
                figure(&pair, caption: caption(name, isOld: old != nil)) {
                    HistogramFigure(
                        name: name,
                        values: values.values.map(Double.init),
                        previous: old?.values.map(Double.init)
                    ).svg(label: statistic.label, id: "\(id)-\(name)")
                }
            }
        }
    }

    private func caption(_ name: String, isOld: Bool) -> String {
        isOld ? "\(name): new (filled) and old (outline)" : name
    }

    private func timeFigure(_ card: inout Markup) {
        var panels: [TimeFigure.Panel] = []
        if let mean = statistic.mean {
            let name = statistic.variance == nil ? "value" : "mean"
            panels.append(.init(name: name, series: mean, previous: statistic.previous?.mean))
        }
        if let variance = statistic.variance {
            panels.append(.init(name: "variance", series: variance, previous: statistic.previous?.variance))
        }
        draw(panels, on: &card, name: "time")
    }

    private func draw(_ panels: [TimeFigure.Panel], on card: inout Markup, name: String) {
        let channels = TimeFigure.channels(of: statistic.channels)
        var supports = [TimeFigure.Support(name: "batches", counts: statistic.coverage.map(Double.init))]
        if let positions = statistic.positions {
            supports.append(TimeFigure.Support(name: "positions", counts: positions))
        }
        legend(channels, on: &card, isOld: panels.contains { $0.previous != nil })
        figure(&card, caption: nil) {
            TimeFigure(panels: panels, supports: supports, steps: statistic.steps, channels: channels)
                .svg(label: statistic.label, id: "\(id)-\(name)")
        }
    }

    private func legend(_ channels: [Int], on card: inout Markup, isOld: Bool) {
        card.element("p", [("class", "legend")]) { legend in
            legend.write(
                channels.count < statistic.channels
                    ? "\(channels.count) of \(Figures.count(statistic.channels)) channels: "
                    : "channels: "
            )
            for (index, channel) in channels.enumerated() {
                let hue = TimeFigure.hue(index, of: channels.count)
                legend.element("span", [("class", "key"), ("style", "--hue:\(hue)")], "\(channel)")
            }
            if isOld { legend.write(" old values dashed") }
            if statistic.coverage.contains(0) {
                legend.element("span", [("class", "none")], "reached by no batch")
            }
        }
    }

    private func changeFigure(_ change: StatisticChange, _ card: inout Markup) {
        card.element("h3", "Change")
        if statistic.steps.isEmpty {
            card.element("div", [("class", "pair")]) { pair in
                let figures = [
                    ("shift of the mean, in old standard deviations", change.shift, "shift"),
                    ("new variance / old variance", change.ratio, "ratio"),
                ]
                for (name, series, key) in figures {
                    figure(&pair, caption: nil) {
                        HistogramFigure(name: name, values: series.values.map(Double.init), previous: nil)
                            .svg(label: statistic.label, id: "\(id)-\(key)")
                    }
                }
            }
        } else {
            let channels = TimeFigure.channels(of: statistic.channels)
            figure(&card, caption: nil) {
                TimeFigure(
                    panels: [
                        .init(name: "shift of the mean", series: change.shift, previous: nil),
                        .init(name: "variance ratio", series: change.ratio, previous: nil),
                    ],
                    supports: [],
                    steps: change.shift.steps,
                    channels: channels
                ).svg(label: statistic.label, id: "\(id)-change")
            }
        }
    }

    private func figure(_ markup: inout Markup, caption: String?, svg: () -> String) {
        markup.element("figure") { figure in
            if let caption { figure.element("figcaption", caption) }
            figure.raw(svg())
        }
    }
}
