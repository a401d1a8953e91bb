public import TensorCore

/// How far tensors are apart, relative to the largest magnitude in either.
public struct Difference: Sendable {
    /// 0 for equal tensors; infinite where shapes, types, or what is not finite differ.
    public private(set) var largest = 0.0
    /// The number of elements compared.
    public private(set) var count = 0

    /// No difference yet.
    public init() {}

    /// Takes two tensors in.
    ///
    /// - Parameters:
    ///   - a: One.
    ///   - b: The other.
    /// - Complexity: O(n).
    public mutating func add(_ a: Tensor, _ b: Tensor) {
        count += a.count
        guard a.shape == b.shape, a.elementType == b.elementType else { return largest = .infinity }
        guard let left = Self.numbers(a), let right = Self.numbers(b) else {
            if a != b { largest = .infinity }
            return
        }
        var scale = 0.0
        var distance = 0.0
        for (x, y) in zip(left, right) {
            if x.isFinite { scale = max(scale, x.magnitude) }
            if y.isFinite { scale = max(scale, y.magnitude) }
            guard x != y && !(x.isNaN && y.isNaN) else { continue }
            distance = (x - y).magnitude.isNaN ? .infinity : max(distance, (x - y).magnitude)
        }
        guard distance > 0 else { return }
        largest = max(largest, scale > 0 ? distance / scale : .infinity)
    }

    private static func numbers(_ tensor: Tensor) -> [Double]? {
        switch tensor.elementType {
        case .float32: tensor.array(of: Float.self).map(Double.init)
        case .float64: tensor.array(of: Double.self)
        default: nil
        }
    }
}
