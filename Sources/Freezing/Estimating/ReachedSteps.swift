import Statistics
import TensorCore

extension BatchStatistic {
    /// The statistic without the steps of loops at which no position was valid: the batch says nothing there.
    ///
    /// Where such steps are the last ones of a loop, the batch's last step is the one before them.
    func withoutEmptySteps() -> BatchStatistic {
        let cells = extents.reduce(1, *)
        guard !extents.isEmpty, let counts = count?.numbers, counts.count == cells, counts.contains(0) else {
            return self
        }
        let given = reached?.numbers ?? []
        let flags = counts.indices.map { cell -> Float in
            counts[cell] > 0 && (given.count != cells || given[cell] != 0) ? 1 : 0
        }
        guard let shape = try? Shape(checking: extents), let reached = try? Tensor(flags, shape: shape) else {
            return self
        }
        var statistic = self
        statistic.reached = reached
        var lengths = [Int](repeating: 0, count: extents.count)
        for cell in flags.indices where flags[cell] > 0 {
            var rest = cell
            for axis in extents.indices.reversed() {
                lengths[axis] = max(lengths[axis], rest % extents[axis] + 1)
                rest /= extents[axis]
            }
        }
        guard steps.isEmpty, !lengths.contains(0) else { return statistic }
        func cut(_ tensor: Tensor?) -> Tensor? {
            tensor.map { $0.shape.dimensions.starts(with: extents) ? $0.cropped(to: lengths) : $0 }
        }
        statistic.mean = cut(mean)
        statistic.variance = cut(variance)
        statistic.count = cut(count)
        statistic.total = cut(total)
        statistic.reached = cut(reached)
        statistic.extents = lengths
        return statistic
    }
}
