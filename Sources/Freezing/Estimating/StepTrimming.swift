import Statistics
import TensorCore

/// Takes out of levelled statistics what the loops in loops really ran.
struct StepTrimming {
    /// The most steps of each loop, outermost first.
    let extents: [Int]
    /// For each loop but the outermost, the steps it ran at each step of the loops around it.
    let steps: [[Int]]

    /// Reads the flags of the loops.
    ///
    /// - Parameters:
    ///   - flags: For each loop but the outermost, 1 where its body ran: float32, an axis for each loop as far as it.
    ///   - levelled: The lengths of the axes of all loops; a flag of other axes says that nothing ran.
    init(_ flags: [Tensor?], in levelled: [Int]) {
        var extents = Array(levelled.prefix(1))
        var steps: [[Int]] = []
        for (index, flag) in flags.enumerated() {
            let outer = extents.reduce(1, *)
            let axes = Array(levelled.prefix(index + 2))
            let cropped = flag.flatMap { flag in
                flag.shape.dimensions == axes ? flag.cropped(to: extents + [axes[index + 1]]).numbers : nil
            }
            let width = axes[index + 1]
            let counts = (0..<outer).map { place in
                cropped.map { $0[(place * width)..<((place + 1) * width)].count { $0 != 0 } } ?? 0
            }
            steps.append(counts)
            extents.append(counts.max() ?? 0)
        }
        self.extents = extents
        self.steps = steps
    }

    /// Cuts all parts to the steps that ran.
    func trim(_ statistic: inout BatchStatistic, _ site: FoundSite) {
        func cut(_ tensor: Tensor?, depth: Int) -> Tensor? {
            tensor.map { $0.shape.rank >= depth ? $0.cropped(to: Array(extents.prefix(depth))) : $0 }
        }
        let depth = site.site.depth
        statistic.mean = cut(statistic.mean, depth: depth)
        statistic.variance = cut(statistic.variance, depth: depth)
        statistic.reached = cut(statistic.reached, depth: depth)
        statistic.count = cut(statistic.count, depth: site.countDepth)
        statistic.total = cut(statistic.total, depth: site.totalDepth)
        statistic.extents = extents
        statistic.steps = steps
    }
}

extension Tensor {
    /// The first elements of the first axes; other axes stay whole.
    ///
    /// - Parameter lengths: For each of the first axes how many, no more than it has.
    /// - Returns: The tensor itself if nothing is cut.
    func cropped(to lengths: [Int]) -> Tensor {
        guard let axis = lengths.indices.last(where: { lengths[$0] != shape[$0] }),
            let whole = try? Shape(checking: lengths + shape.dimensions.dropFirst(lengths.count))
        else { return self }
        // Behind the last axis that is cut, elements stay side by side.
        let tail = shape.dimensions.dropFirst(axis + 1).reduce(elementType.byteCount, *)
        let run = lengths[axis] * tail
        var result = Tensor(uninitialized: elementType, shape: whole)
        guard result.count > 0 else { return result }
        result.withMutableBytes { target in
            withBytes { source in
                for place in 0..<lengths[..<axis].reduce(1, *) {
                    var (rest, start, stride) = (place, 0, tail * shape[axis])
                    for outer in (0..<axis).reversed() {
                        start += rest % lengths[outer] * stride
                        rest /= lengths[outer]
                        stride *= shape[outer]
                    }
                    let part = UnsafeRawBufferPointer(rebasing: source[start..<(start + run)])
                    UnsafeMutableRawBufferPointer(rebasing: target[(place * run)..<((place + 1) * run)])
                        .copyMemory(from: part)
                }
            }
        }
        return result
    }
}
