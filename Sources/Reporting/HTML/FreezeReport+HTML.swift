extension FreezeReport {
    /// The report as one HTML page that needs nothing else: no script, no file, no network; light and dark.
    ///
    /// - Returns: The page, UTF-8.
    /// - Complexity: O(values); a picture shows at most 20 channels and 480 steps.
    public func html() -> String {
        var page = Markup()
        page.raw("<!doctype html>\n")
        page.element("html", [("lang", "en")]) { html in
            html.element("head") { head in
                head.raw("<meta charset=\"utf-8\">")
                head.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
                head.raw("<meta name=\"color-scheme\" content=\"light dark\">")
                head.element("title", "\(heading): \(title)")
                head.element("style") { $0.raw(PageStyle.css) }
            }
            html.element("body") { body in
                header(&body)
                body.element("main") { main in
                    warningList(&main)
                    proofList(&main)
                    overview(&main)
                    for (index, statistic) in statistics.enumerated() {
                        StatisticCard(statistic: statistic, id: "s\(index)").write(to: &main)
                    }
                }
                body.element("footer") { footer in
                    footer.write("Variances have divisor N. ")
                    footer.write("Written by \(provenance.tool).")
                }
            }
        }
        page.raw("\n")
        return page.text
    }

    private var heading: String {
        switch provenance.kind {
        case .freeze: "Freeze"
        case .recalibrate: "Recalibration"
        case .fit: "Fit"
        }
    }

    private func header(_ body: inout Markup) {
        body.element("header") { header in
            header.element("p", [("class", "kicker")], heading)
            header.element("h1", title)
            header.element("ul", [("class", "tiles")]) { list in
                var tiles = [
                    (
                        Figures.count(statistics.count),
                        statistics.count == 1 ? "normalization" : "normalizations"
                    ),
                    (Figures.count(provenance.batches), provenance.batches == 1 ? "batch" : "batches"),
                ]
                if let sequences = provenance.sequences {
                    tiles.append((Figures.count(sequences), "sequences"))
                }
                if let positions = provenance.positions {
                    tiles.append((Figures.count(positions), "valid positions"))
                }
                tiles.append((provenance.estimator, "estimator"))
                for (value, name) in tiles {
                    list.element("li") {
                        $0.element("b", value)
                        $0.element("span", name)
                    }
                }
            }
            header.element("dl") { list in
                for (name, value, isCode) in facts {
                    list.element("dt", name)
                    list.element("dd") { isCode ? $0.element("code", value) : $0.write(value) }
                }
            }
        }
    }

    private var facts: [(String, String, Bool)] {
        var facts: [(String, String, Bool)] = []
        if let model = provenance.model { facts.append(("model", model, false)) }
        if let digest = provenance.modelDigest { facts.append(("model sha256", digest, true)) }
        facts.append(("data", provenance.data, false))
        if let digest = provenance.dataDigest { facts.append(("data digest", digest, true)) }
        if let tail = provenance.tail { facts.append(("after a batch's last step", tail, false)) }
        if let padding = provenance.padding { facts.append(("padding", padding, false)) }
        return facts
    }

    private func warningList(_ main: inout Markup) {
        guard !warnings.isEmpty else { return }
        main.element("section", [("class", "warnings")]) { section in
            section.element("h2", "Warnings")
            section.element("ul") { list in for warning in warnings { list.element("li", warning) } }
        }
    }

    private func proofList(_ main: inout Markup) {
        guard !proofs.isEmpty else { return }
        main.element("section") { section in
            section.element("h2", "Verified before it was written")
            section.element("ul", [("class", "proofs")]) { list in
                for proof in proofs { ProofItem(proof: proof).write(to: &list) }
            }
        }
    }

    private func overview(_ main: inout Markup) {
        main.element("section") { section in
            section.element("h2", "Statistics")
            section.element("div", [("class", "scroll")]) { scroll in
                scroll.element("table") { table in
                    table.element("thead") { head in
                        head.element("tr") { row in
                            let names = [
                                "normalization", "path", "found by", "steps", "channels", "mean", "variance",
                            ]
                            for name in names { row.element("th", [("scope", "col")], name) }
                        }
                    }
                    table.element("tbody") { body in
                        for (index, statistic) in statistics.enumerated() {
                            body.element("tr") { row in cells(of: statistic, index, &row) }
                        }
                    }
                }
            }
        }
    }

    private func cells(of statistic: StatisticReport, _ index: Int, _ row: inout Markup) {
        row.element("th", [("scope", "row")]) { $0.element("a", [("href", "#s\(index)")], statistic.label) }
        row.element("td") { $0.element("code", statistic.path) }
        row.element("td", statistic.origin)
        let steps = statistic.steps.map(Figures.count).joined(separator: " × ")
        row.element("td", [("class", "number")], steps.isEmpty ? "all" : steps)
        row.element("td", [("class", "number")], Figures.count(statistic.channels))
        for series in [statistic.mean, statistic.variance] {
            let finite = (series?.values ?? []).filter(\.isFinite)
            guard let low = finite.min(), let high = finite.max() else {
                row.element("td", [("class", "number")], "none")
                continue
            }
            row.element(
                "td",
                [("class", "number")],
                low == high
                    ? Figures.number(Double(low))
                    : "\(Figures.number(Double(low))) to \(Figures.number(Double(high)))"
            )
        }
    }
}
