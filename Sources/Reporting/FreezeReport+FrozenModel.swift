public import Freezing
import Statistics
import TensorCore

extension FreezeReport {
    /// The report of a model that was frozen.
    ///
    /// - Parameters:
    ///   - frozen: What was made.
    ///   - plan: What it was made by.
    ///   - title: The model's name.
    public init(_ frozen: FrozenModel, plan: FreezePlan, title: String) {
        let provenance = frozen.provenance
        let tails = Set(frozen.statistics.filter { $0.coverage.shape.rank > 0 }.map(\.tail.rawValue)).sorted()
        let hasTrainingMode = frozen.sites.contains {
            $0.origin == .trainingMode || $0.origin == .recalibration
        }
        let estimators = Set(frozen.statistics.map(\.estimator.rawValue)).sorted()
        self.init(
            title: title,
            provenance: Provenance(
                kind: provenance.isRecalibration ? .recalibrate : .freeze,
                model: title,
                modelDigest: provenance.modelDigest,
                data: provenance.data.joined(separator: ", "),
                dataDigest: provenance.dataDigest,
                estimator: estimators.joined(separator: ", "),
                tail: tails.isEmpty ? nil : tails.joined(separator: ", "),
                padding: hasTrainingMode ? provenance.padding.rawValue : nil,
                batches: provenance.batches,
                sequences: provenance.sequences > 0 ? provenance.sequences : nil,
                positions: provenance.positions > 0 ? provenance.positions : nil,
                tool: "\(provenance.tool) \(provenance.toolVersion)"
            ),
            proofs: frozen.proofs.map(Proof.init),
            warnings: frozen.warnings,
            statistics: zip(frozen.sites, frozen.statistics).map { site, statistics in
                StatisticReport(
                    site,
                    statistics,
                    former: plan.formerStatistics.first { $0.label == site.label }
                )
            }
        )
    }
}

extension FreezeReport {
    /// The report of a model that normalizes raw features.
    ///
    /// - Parameters:
    ///   - normalizer: What was made.
    ///   - fit: What it was made of.
    ///   - title: The model's name.
    ///   - names: What the data is called.
    ///   - toolVersion: The version of the program.
    public init(
        _ normalizer: NormalizerModel,
        of fit: FeatureFit,
        title: String,
        data names: [String],
        toolVersion: String
    ) {
        let statistics = normalizer.statistics
        self.init(
            title: title,
            provenance: Provenance(
                kind: .fit,
                model: nil,
                modelDigest: nil,
                data: names.joined(separator: ", "),
                dataDigest: fit.data.description,
                estimator: statistics.estimator.rawValue,
                tail: nil,
                padding: nil,
                batches: statistics.batches,
                sequences: fit.sequences,
                positions: fit.positions,
                tool: "seqnorm \(toolVersion)"
            ),
            warnings: normalizer.warnings,
            statistics: [
                StatisticReport(
                    label: statistics.label,
                    path: "raw features",
                    depth: 0,
                    origin: "data",
                    estimator: statistics.estimator.rawValue,
                    mean: statistics.mean.map { StatisticSeries($0, depth: 0) },
                    variance: statistics.variance.map { StatisticSeries($0, depth: 0) },
                    coverage: [fit.sequences],
                    positions: [Double(fit.positions)]
                )
            ]
        )
    }
}

extension FreezeReport.Proof {
    /// What was shown of a frozen graph.
    init(_ proof: Proof) {
        let (verdict, reason): (Verdict, String?) =
            switch proof.outcome {
            case .held: (.held, nil)
            case .failed(let reason): (.failed, reason)
            case .notApplicable(let reason): (.notChecked, reason)
            }
        self.init(
            claim: proof.kind.claim,
            verdict: verdict,
            reason: reason,
            difference: proof.largestDifference,
            tolerance: proof.tolerance
        )
    }
}

extension Proof.Kind {
    /// What is shown, in a sentence.
    fileprivate var claim: String {
        switch self {
        case .noStatisticLeft: "No batch statistic is left in the graph."
        case .ownStatistics:
            "With a batch's own statistics put in, the frozen graph gives that batch's training output."
        case .freezingAgain: "Freezing the frozen graph changes nothing."
        case .aloneEqualsBatch: "A sequence alone gets the answer it gets in a padded batch."
        }
    }
}

extension StatisticReport {
    /// The statistics of one site.
    init(_ site: BatchStatisticSite, _ statistics: PopulationStatistics, former: SiteValues?) {
        let depth = statistics.coverage.shape.rank
        self.init(
            label: statistics.label,
            path: "\(site.path)",
            depth: site.depth,
            origin: site.origin.words,
            estimator: statistics.estimator.rawValue,
            mean: statistics.mean.map { StatisticSeries($0, depth: depth) },
            variance: statistics.variance.map { StatisticSeries($0, depth: depth) },
            coverage: statistics.coverage.numbers.map { Int(clampedTo: $0) },
            positions: statistics.positions?.numbers,
            previous: former.map { former in
                Previous(
                    mean: former.mean.map { StatisticSeries($0, depth: depth) },
                    variance: former.variance.map { StatisticSeries($0, depth: depth) }
                )
            }
        )
    }
}

extension StatisticSeries {
    /// A tensor `[T..., C...]` with `depth` time axes; the other axes are the channels.
    init(_ tensor: Tensor, depth: Int) {
        let dimensions = tensor.shape.dimensions
        let axes = min(depth, dimensions.count)
        self.init(
            steps: Array(dimensions.prefix(axes)),
            channels: dimensions.dropFirst(axes).reduce(1, *),
            values: tensor.numbers.map { Float($0) }
        )
    }
}

extension BatchStatisticSite.Origin {
    /// How a site was found, for people.
    public var words: String {
        switch self {
        case .trainingMode: "training-mode BatchNormalization"
        case .nodeLabel: "label on its node"
        case .modelLabel: "label in the metadata"
        case .commandLine: "--statistic"
        case .pattern: "pattern"
        case .recalibration: "frozen statistics"
        }
    }
}

extension Tensor {
    /// The elements of a tensor of one of the types that statistics have; empty for others.
    fileprivate var numbers: [Double] {
        switch elementType {
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        case .int64: array(of: Int64.self).map(Double.init)
        default: []
        }
    }
}

extension Int {
    /// The nearest integer; a number that is none is 0.
    fileprivate init(clampedTo number: Double) {
        self = number.isNaN ? 0 : Int(Swift.min(Swift.max(number, -9e18), 9e18))
    }
}
