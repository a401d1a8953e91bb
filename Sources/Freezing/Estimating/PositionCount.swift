import TensorCore

/// Numbers of positions as graphs have them, brought to one number a step.
enum PositionCount {
    /// One number for each step where all channels have the same; the tensor itself where they do not.
    ///
    /// - Parameters:
    ///   - tensor: `[E..., ...]` with the extents of `depth` loops.
    ///   - depth: How many loops are around the value.
    ///   - site: How many loops are around the statistics.
    /// - Returns: Float64 `[E...]`.
    static func perStep(_ tensor: Tensor?, depth: Int, site: Int) -> Tensor? {
        guard let tensor, depth <= site, tensor.shape.rank >= depth, let numbers = tensor.numbers,
            let shape = try? Shape(checking: tensor.shape.dimensions.prefix(depth))
        else { return tensor }
        let steps = shape.elementCount
        let width = steps > 0 ? numbers.count / steps : 1
        guard width > 0 else { return tensor }
        var counts: [Double] = []
        counts.reserveCapacity(steps)
        for step in 0..<steps {
            let first = numbers[step * width]
            guard numbers[step * width..<(step + 1) * width].allSatisfy({ $0 == first }) else {
                return tensor
            }
            counts.append(first)
        }
        return (try? Tensor(counts, shape: shape)) ?? tensor
    }
}
