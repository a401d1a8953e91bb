import Metrics
import Testing

@testable import HTTPAPI

@Suite struct PrometheusTests {
    @Test func `every kind of figure is written with its help and type`() {
        let registry = PrometheusRegistry(descriptions: [
            MetricDescription("a_total", "A \\ and\na line."),
            MetricDescription("h", "H.", buckets: [1, 2.5]),
        ])
        Counter(label: "a_total", dimensions: [("b", "x\"y\\z\n"), ("a", "1")], factory: registry).increment(
            by: 3
        )
        Gauge(label: "g", factory: registry).record(1.5)
        let histogram = Recorder(label: "h", factory: registry)
        for value in [0.5, 1, 2, 99] { histogram.record(value) }
        let expected = #"""
            # HELP a_total A \\ and\na line.
            # TYPE a_total counter
            a_total{a="1",b="x\"y\\z\n"} 3
            # HELP g g
            # TYPE g gauge
            g 1.5
            # HELP h H.
            # TYPE h histogram
            h_bucket{le="1"} 2
            h_bucket{le="2.5"} 3
            h_bucket{le="+Inf"} 4
            h_sum 102.5
            h_count 4

            """#
        #expect(registry.text() == expected)
    }

    @Test func `the same name and labels are the same figure in any order`() {
        let registry = PrometheusRegistry(descriptions: [])
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.text().contains("c{a=\"1\",b=\"2\"} 2\n"))
    }

    @Test func `times are kept in seconds`() {
        let registry = PrometheusRegistry(descriptions: [MetricDescription("t_seconds", "T.", buckets: [0.5])]
        )
        let timer = Timer(label: "t_seconds", factory: registry)
        timer.recordNanoseconds(250_000_000)
        timer.recordNanoseconds(750_000_000)
        #expect(registry.text().contains("t_seconds_bucket{le=\"0.5\"} 1\n"))
        #expect(registry.text().contains("t_seconds_sum 1\nt_seconds_count 2\n"))
    }

    @Test func `a name in use with another type leaves the first one readable`() {
        let registry = PrometheusRegistry(descriptions: [])
        Counter(label: "x", factory: registry).increment()
        Gauge(label: "x", factory: registry).record(7)
        #expect(registry.text() == "# HELP x x\n# TYPE x counter\nx 1\n")
    }

    @Test(arguments: [("a.b-c d", "a_b_c_d"), ("9a", "_9a"), ("", "_"), ("ä", "_"), ("A_1", "A_1")])
    func `names keep Prometheus' rules`(name: String, expected: String) {
        #expect(PrometheusText.name(name) == expected)
    }

    @Test(arguments: [
        (0.0, "0"), (-3, "-3"), (0.1, "0.1"), (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
        (.nan, "NaN"),
    ])
    func `numbers are written so that they read back`(value: Double, expected: String) {
        #expect(PrometheusText.number(value) == expected)
    }

    @Test func `counters never fall and destroyed figures are gone`() {
        let registry = PrometheusRegistry(descriptions: [])
        let counter = FloatingPointCounter(label: "f_total", factory: registry)
        counter.increment(by: 1.5)
        counter.increment(by: -1.0)
        counter.increment(by: Double.nan)
        #expect(registry.text().hasSuffix("f_total 1.5\n"))
        counter.destroy()
        #expect(registry.text() == "")
    }

    @Test func `requests are counted by route and code`() {
        let registry = PrometheusRegistry()
        let metrics = RequestMetrics(factory: registry)
        metrics.record(route: "/v1/models/{model}:predict", code: 200, duration: .milliseconds(2))
        metrics.record(route: "/v1/models/{model}:predict", code: 200, duration: .milliseconds(3))
        metrics.recordRejection(code: 431)
        let text = registry.text()
        #expect(
            text.contains(
                "seqnorm_http_requests_total{code=\"200\",route=\"/v1/models/{model}:predict\"} 2\n"
            )
        )
        #expect(
            text.contains(
                "seqnorm_http_request_duration_seconds_count{route=\"/v1/models/{model}:predict\"} 2\n"
            )
        )
        #expect(text.contains("seqnorm_http_rejected_total{code=\"431\"} 1\n"))
    }

    @Test func `the process tells its memory and its time`() {
        let registry = PrometheusRegistry()
        ProcessMetrics(factory: registry).update()
        for name in ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"] {
            #expect(registry.text().contains("\n\(name) "))
        }
    }
}
