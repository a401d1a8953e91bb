import Freezing
import Safetensors
import Statistics

extension SafetensorsFile {
    /// The statistics of a frozen model: a tensor for each, named by its label, and `<stem>.coverage` and
    /// `<stem>.positions` beside them.
    init(_ frozen: FrozenModel) {
        self.init(tensors: [:], metadata: [Provenance.key: frozen.provenance.json])
        for (site, statistics) in zip(frozen.sites, frozen.statistics) {
            add(statistics, mean: site.mean?.label, variance: site.variance?.label)
        }
    }

    /// The statistics of a normalization.
    init(_ statistics: PopulationStatistics) {
        self.init(tensors: [:])
        add(statistics, mean: nil, variance: nil)
    }

    private mutating func add(_ statistics: PopulationStatistics, mean: String?, variance: String?) {
        let stem = statistics.label
        if let tensor = statistics.mean { tensors[mean ?? "\(stem).mean"] = tensor }
        if let tensor = statistics.variance { tensors[variance ?? "\(stem).var"] = tensor }
        tensors["\(stem).coverage"] = statistics.coverage
        if let positions = statistics.positions { tensors["\(stem).positions"] = positions }
    }
}
