import Foundation
import FoundationXML
import Reporting
import Testing

@Suite struct PageTests {
    private static let shapes: [[Int]] = [
        [], [1], [26], [5, 7], [2, 3, 4], [2000], [40, 100], [0], [3, 0],
    ]

    @Test(arguments: shapes) func `every picture is well-formed and says what it shows`(steps: [Int]) throws {
        let pictures = Self.pictures(Examples.report([Examples.statistic(steps: steps)]).html())
        #expect(pictures.count == (steps.isEmpty ? 2 : 1))
        for picture in pictures {
            let reader = Reader()
            let parser = XMLParser(data: Data(picture.utf8))
            parser.delegate = reader
            #expect(parser.parse(), "\(String(describing: parser.parserError))")
            let names = try #require(reader.labelledBy).split(separator: " ").map(String.init)
            #expect(names.count == 2 && names.allSatisfy { reader.ids[$0]?.isEmpty == false })
        }
    }

    @Test(arguments: shapes) func `a page needs nothing but itself`(steps: [Int]) {
        let old = StatisticReport.Previous(
            mean: Examples.series(steps: steps, channels: 24, from: 3),
            variance: Examples.series(steps: steps, channels: 24, from: 4)
        )
        let page = Examples.report([
            Examples.statistic(steps: steps), Examples.statistic("second", steps: steps, previous: old),
        ]).html()
        for word in ["<script", "src=", "http:", "https:", "url(", "@import", "NaN", "nan", "inf\""] {
            #expect(!page.contains(word), "\(word)")
        }
        let ids = page.matches(of: /\sid="([^"]+)"/).map { String($0.1) }
        #expect(Set(ids).count == ids.count)
    }

    @Test func `no text of a model or a file becomes markup`() {
        let hostile = "<script>alert('x')</script>\"&'\u{0}"
        var statistic = Examples.statistic(hostile, steps: [3])
        (statistic.path, statistic.origin, statistic.estimator) = (hostile, hostile, hostile)
        var report = Examples.report([statistic, Examples.statistic(hostile)], title: hostile)
        report.warnings = [hostile]
        report.proofs.append(.init(claim: hostile, verdict: .failed, reason: hostile))
        report.provenance.model = hostile
        report.provenance.data = hostile
        report.provenance.estimator = hostile
        report.provenance.tool = hostile
        let page = report.html()
        #expect(!page.contains("<script"))
        #expect(!page.contains("alert('x')"))
        #expect(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;&#39;\u{FFFD}"))
    }

    @Test func `values that are no numbers are left out of the pictures`() {
        var statistic = Examples.statistic(steps: [4], channels: 2)
        statistic.mean = StatisticSeries(
            steps: [4],
            channels: 2,
            values: [.nan, 1, .infinity, 2, -.infinity, 3, 4, .greatestFiniteMagnitude]
        )
        let page = Examples.report([statistic, Examples.statistic(channels: 0)]).html()
        #expect(!page.contains("nan") && !page.contains("inf"))
    }

    @Test func `verdicts are told apart without color`() {
        var report = Examples.report([])
        report.proofs = [
            .init(claim: "One.", verdict: .failed), .init(claim: "Two.", verdict: .notChecked, reason: "why"),
        ]
        #expect(report.html().contains("<b>Failed: </b>One."))
        #expect(report.html().contains("<b>Not checked: </b>Two.<small>why</small>"))
    }

    private static func pictures(_ page: String) -> [String] {
        page.matches(of: /<svg.*?<\/svg>/.dotMatchesNewlines()).map { String($0.0) }
    }

    /// The texts of elements with an id, and what the picture says it is labelled by.
    private final class Reader: NSObject, XMLParserDelegate {
        var labelledBy: String?
        var ids: [String: String] = [:]
        private var open: [String?] = []

        func parser(
            _ parser: XMLParser,
            didStartElement name: String,
            namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String]
        ) {
            labelledBy = labelledBy ?? attributes["aria-labelledby"]
            open.append(attributes["id"])
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) {
            if let id = open.last ?? nil { ids[id, default: ""] += text }
        }

        func parser(
            _ parser: XMLParser,
            didEndElement name: String,
            namespaceURI: String?,
            qualifiedName: String?
        ) {
            open.removeLast()
        }
    }
}
