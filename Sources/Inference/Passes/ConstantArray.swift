import TensorCore

/// Constants in Double with a shape, for the arithmetic of the planner.
struct ConstantArray {
    let values: [Double]
    let shape: Shape

    static let zero = ConstantArray(values: [0], shape: Shape())
    static let one = ConstantArray(values: [1], shape: Shape())
    static let minusOne = ConstantArray(values: [-1], shape: Shape())

    init(values: [Double], shape: Shape) {
        self.values = values
        self.shape = shape
    }

    /// The elements of a float32 tensor.
    init(_ tensor: Tensor) {
        values = tensor.array(of: Float.self).map(Double.init)
        shape = tensor.shape
    }

    /// The elements rounded to float32.
    var tensor: Tensor? { try? Tensor(values.map { Float($0) }, shape: shape) }

    func map(_ function: (Double) -> Double) -> ConstantArray {
        ConstantArray(values: values.map(function), shape: shape)
    }

    /// Element by element with broadcasting, or nil if the shapes do not fit or the result is much too large.
    func combined(with other: ConstantArray, _ function: (Double, Double) -> Double) -> ConstantArray? {
        guard let shape = try? self.shape.broadcast(with: other.shape),
            shape.elementCount <= max(values.count, other.values.count)
        else { return nil }
        var result: [Double] = []
        result.reserveCapacity(shape.elementCount)
        TypedMap.forEachPair(self.shape, other.shape, shape) {
            result.append(function(values[$0], other.values[$1]))
        }
        return ConstantArray(values: result, shape: shape)
    }

    /// One element for each of `count` places along the axis that has `axesBehind` axes behind it, or nil if the
    /// elements vary along another axis or there are more axes than `rank`.
    func perChannel(_ count: Int, axesBehind: Int, rank: Int) -> [Double]? {
        guard shape.rank <= rank, values.count > 0 else { return nil }
        if values.count == 1 { return [Double](repeating: values[0], count: count) }
        let axis = shape.rank - 1 - axesBehind
        guard axis >= 0, shape[axis] == count, values.count == count else { return nil }
        return values
    }
}
