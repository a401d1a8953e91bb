import Freezing
import Statistics
import TensorCore
import TestSupport
import Testing

/// The estimates over the reference's batches against those computed in float64 by its own code.
struct PopulationTests {
    private static let limit = 1e-5

    @Test(arguments: ["vowels-cnn", "peptide-bytenet", "vowels-bnlstm"])
    func `estimates equal the reference's`(_ name: String) throws {
        let data = try ReferenceData(name)
        let (plan, state) = try data.state()
        var worst = 0.0
        for (index, site) in plan.sites.enumerated() {
            #expect(site.origin == .nodeLabel)
            #expect(site.hasCounts)
            for (prefix, estimator, tail) in Self.estimators {
                guard let mean = data.expected["\(prefix).\(site.label).mean"],
                    let variance = data.expected["\(prefix).\(site.label).var"]
                else { continue }
                let population = try state.accumulators[index].estimate(estimator, tail: tail)
                let differences = [
                    try #require(population.mean).relativeDifference(to: mean),
                    try #require(population.variance).relativeDifference(to: variance),
                ]
                worst = max(worst, differences.max() ?? 0)
                #expect(differences.allSatisfy { $0 <= Self.limit }, "\(prefix) \(site.label) \(differences)")
                if let coverage = data.expected["population.coverage"] {
                    #expect(population.coverage.doubles == coverage.doubles)
                }
            }
        }
        print("largest relative difference of \(name): \(worst)")
    }

    @Test func `estimates of a Scan in a Scan equal the reference's`() throws {
        let data = try ReferenceData.nested()
        let (plan, state) = try data.state()
        #expect(plan.sites.map(\.depth) == [0, 2, 1, 0])
        var worst = 0.0
        for (index, site) in plan.sites.enumerated() {
            for (prefix, estimator, tail) in Self.estimators {
                guard let mean = data.expected["\(prefix).\(site.label).mean"],
                    let variance = data.expected["\(prefix).\(site.label).var"]
                else { continue }
                let population = try state.accumulators[index].estimate(estimator, tail: tail)
                let coverage = data.expected["population.\(site.label).coverage"]
                if let coverage { #expect(population.coverage.doubles == coverage.doubles) }
                let width = mean.count / max(1, coverage?.count ?? 1)
                // What no batch reached, and for pooled where nobody was alive, is not comparable.
                let support = prefix == "pooled" ? data.expected["pooled.\(site.label).count"] : coverage
                func isCompared(_ element: Int) -> Bool {
                    guard prefix != "population", let support else { return true }
                    return support.doubles[element / width] > 0
                }
                let differences = [
                    try #require(population.mean).relativeDifference(to: mean, where: isCompared),
                    try #require(population.variance).relativeDifference(to: variance, where: isCompared),
                ]
                worst = max(worst, differences.max() ?? 0)
                #expect(differences.allSatisfy { $0 <= Self.limit }, "\(prefix) \(site.label) \(differences)")
            }
        }
        print("largest relative difference of nested-scan: \(worst)")
    }

    @Test(arguments: [("padded", Padding.include), ("masked", .exclude), ("valid", .observe)])
    func `training mode is estimated over the positions asked for`(_ name: String, _ padding: Padding) throws
    {
        let data = try ReferenceData("vowels-plain-bn", graph: "train-legacy")
        let (plan, state) = try data.state(FreezeOptions(padding: padding))
        #expect(plan.sites.map(\.label) == ["bns.0", "bns.1", "bns.2"])
        var worst = 0.0
        for index in plan.sites.indices {
            for (estimator, key) in [(Estimator.pooled, "pooled"), (.meanOfBatches, "mean_of_batches")] {
                let population = try state.accumulators[index].estimate(estimator, tail: .repeat)
                for (part, tensor) in [("mean", population.mean), ("var", population.variance)] {
                    guard let expected = data.expected["\(name).\(key).\(part).\(index)"] else { continue }
                    let difference = try #require(tensor).relativeDifference(to: expected)
                    worst = max(worst, difference)
                    #expect(difference <= Self.limit, "\(key) \(part) \(index)")
                }
            }
        }
        print("largest relative difference of train-legacy, \(name): \(worst)")
    }

    private static let estimators: [(String, Estimator, Tail)] = [
        ("population", .meanOfBatches, .repeat), ("pooled", .pooled, .repeat),
        ("hold", .meanOfBatches, .hold),
    ]
}
