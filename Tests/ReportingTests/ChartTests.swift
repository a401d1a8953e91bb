import Testing

@testable import Reporting

@Suite struct ChartTests {
    private static let extremes: [[Double]] = [
        [], [0], [1, 1], [-1e300, 1e300], [1e-300, 2e-300], [.nan], [.infinity, 3], [5, 5 + 1e-15], [-7],
        [1e15, 1e15 + 1],
        [0.1, 0.2, 0.30000001], [-2.4, 0.7],
    ]

    @Test(arguments: extremes) func `marks are few, ascending and inside the scale`(values: [Double]) {
        for kind in [Scale.Kind.values, .counts] {
            let scale = Scale(around: values, on: (0, 100), kind: kind)
            #expect(scale.domain.lowerBound < scale.domain.upperBound)
            #expect(scale.ticks.count <= 102)
            #expect(zip(scale.ticks, scale.ticks.dropFirst()).allSatisfy { $0 < $1 })
            for value in values + scale.ticks {
                let place = scale(value)
                #expect(!value.isFinite || (-2...102).contains(place), "\(value) at \(place)")
            }
            for tick in scale.ticks { #expect(!scale.label(tick).isEmpty) }
        }
    }

    @Test(arguments: [[1.0], [3], [17], [100_000]])
    func `counts begin at zero and are marked at whole numbers`(
        values: [Double]
    ) {
        let scale = Scale(around: values, on: (0, 1), kind: .counts)
        #expect(scale.domain.lowerBound == 0)
        #expect(scale.ticks.allSatisfy { $0 == $0.rounded() })
        #expect(scale.ticks.last == scale.domain.upperBound)
    }

    @Test(arguments: [0, 1, 2, 64, 1000]) func `every finite value is in one interval of a histogram`(
        count: Int
    ) {
        let values = Examples.series(steps: [], channels: count).values.map(Double.init)
        let histogram = Histogram(values + [.nan, .infinity])
        #expect(histogram.counts.reduce(0, +) == count)
        #expect((8...40).contains(histogram.counts.count))
        #expect(zip(histogram.edges, histogram.edges.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `an interval of a histogram includes its lower end`() {
        let histogram = Histogram([0, 1, 1, 8], over: 0...8)
        #expect(histogram.counts == [1, 2, 0, 0, 0, 0, 0, 1])
    }

    @Test func `steps are numbered axis by axis`() {
        let axis = TimeAxis(steps: [5, 7], from: 0, to: 700)
        #expect(axis.columns.count == 35)
        #expect(axis.words(0) == "0·0")
        #expect(axis.words(34) == "4·6")
        #expect(axis.boundaries == [140, 280, 420, 560])
        #expect(axis.marks.map(\.words).prefix(4) == ["0·0", "0·2", "0·4", "1·0"])
    }

    @Test func `a long axis is thinned out and says so`() {
        let axis = TimeAxis(steps: [100_000], from: 0, to: 1000)
        #expect(axis.columns.count <= 480)
        #expect(axis.name == "time step, one of 209 shown")
        let places = axis.marks.map(\.x)
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 >= 36 })
    }

    @Test func `channels that are drawn are spread over all`() {
        #expect(TimeFigure.channels(of: 0) == [])
        #expect(TimeFigure.channels(of: 1) == [0])
        #expect(TimeFigure.channels(of: 20) == Array(0..<20))
        let some = TimeFigure.channels(of: 256)
        #expect(some.count == 20 && some.first == 0 && some.last == 255 && Set(some).count == 20)
    }

    @Test func `numbers are written shortly`() {
        #expect(Figures.number(0.123456) == "0.1235")
        #expect(Figures.number(-1.5e-9) == "−1.5e−09")
        #expect(Figures.number(.nan) == "not a number")
        #expect(Figures.count(1_234_567) == "1\u{202F}234\u{202F}567")
        #expect(Figures.count(Int.min).hasPrefix("−9"))
        #expect(Figures.count(1, "batch", "batches") == "1 batch")
    }
}
