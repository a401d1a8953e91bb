import TensorCore

/// Finds statistics that have an axis of the batch: no constant could take their place.
enum BatchDependence {
    /// Runs the graph on all sequences of a batch but the last, and compares the shapes.
    ///
    /// Nothing is checked where the inputs have no first axis in common, or where the smaller batch cannot be run.
    ///
    /// - Parameters:
    ///   - observation: What the whole batch gave.
    ///   - batch: The batch.
    ///   - run: The run.
    /// - Throws: ``FreezeError/shapeDependsOnBatch(label:shape:)``.
    static func check(
        _ observation: EstimationRun.Observation,
        of batch: TrainingBatch,
        _ run: EstimationRun
    ) throws(FreezeError) {
        guard let smaller = batch.withoutLastSequence, let other = try? run.observe(smaller) else { return }
        for (site, (whole, part)) in zip(run.sites, zip(observation.statistics, other.statistics)) {
            for (value, a, b) in [
                (site.site.mean, whole.mean, part.mean), (site.site.variance, whole.variance, part.variance),
            ] {
                guard let value, let a, let b else { continue }
                let channels = a.shape.dimensions.dropFirst(whole.extents.count)
                guard channels == b.shape.dimensions.dropFirst(part.extents.count) else {
                    throw .shapeDependsOnBatch(label: value.label, shape: Array(channels))
                }
            }
        }
    }
}

extension TrainingBatch {
    /// The batch without its last sequence; nil if the inputs have no first axis of one length above 1 in common.
    fileprivate var withoutLastSequence: TrainingBatch? {
        let tensors = inputs.values.filter { $0.shape.rank > 0 }
        guard let count = tensors.first?.shape[0], count > 1, tensors.allSatisfy({ $0.shape[0] == count })
        else {
            return nil
        }
        var copy = self
        copy.inputs = inputs.mapValues { $0.shape.rank > 0 ? $0.slice(0..<count - 1) : $0 }
        copy.lengths = lengths.map { Array($0.dropLast()) }
        return copy
    }
}
