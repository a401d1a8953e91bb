import TensorCore

/// How far two tensors are apart, relative to the largest magnitude in either.
struct Difference {
    /// 0 for equal tensors; infinite where shapes, types, or what is not finite differ.
    private(set) var largest = 0.0
    private(set) var count = 0

    mutating func add(_ a: Tensor, _ b: Tensor) {
        count += a.count
        guard a.shape == b.shape, a.elementType == b.elementType else { return largest = .infinity }
        guard let left = a.numbers, let right = b.numbers else {
            if a != b { largest = .infinity }
            return
        }
        var scale = 0.0
        var distance = 0.0
        for (x, y) in zip(left, right) where x != y && !(x.isNaN && y.isNaN) {
            distance = (x - y).magnitude.isNaN ? .infinity : max(distance, (x - y).magnitude)
        }
        guard distance > 0 else { return }
        for number in left + right where number.isFinite { scale = max(scale, number.magnitude) }
        largest = max(largest, scale > 0 ? distance / scale : .infinity)
    }
}
