public import TensorCore

/// How far a computed value may lie from the expected one.
///
/// ```swift
/// let tolerance = Tolerance.close(absolute: 1e-5, relative: 1e-5, because: "float32 sums of 64 terms")
/// #expect(tolerance.firstDifference(y, expected) == nil)
/// ```
public struct Tolerance: Sendable, Hashable {
    /// The largest `|actual - expected|` allowed where `expected` is 0.
    public let absolute: Double
    /// What is allowed in addition, as a share of `|expected|`.
    public let relative: Double
    /// Why the values need not be equal.
    public let reason: String

    /// The same bits.
    public static let exact = Tolerance(absolute: 0, relative: 0, reason: "the same bits")

    /// `|actual - expected| <= absolute + relative * |expected|`.
    ///
    /// - Parameters:
    ///   - absolute: At least 0.
    ///   - relative: At least 0.
    ///   - reason: Why the values need not be equal.
    /// - Returns: The tolerance.
    public static func close(absolute: Double, relative: Double = 0, because reason: String) -> Tolerance {
        Tolerance(absolute: absolute, relative: relative, reason: reason)
    }

    /// Whether a value is near enough; NaN is near NaN only, an infinity only itself.
    ///
    /// - Parameters:
    ///   - actual: The computed value.
    ///   - expected: The right value.
    /// - Returns: Whether the difference is within the tolerance.
    public func allows(_ actual: Double, _ expected: Double) -> Bool {
        if actual.isNaN || expected.isNaN { return actual.isNaN && expected.isNaN }
        if actual == expected { return absolute > 0 || relative > 0 || actual.sign == expected.sign }
        guard actual.isFinite && expected.isFinite else { return false }
        return (actual - expected).magnitude <= absolute + relative * expected.magnitude
    }

    /// The first place where two tensors differ by more than the tolerance.
    ///
    /// - Parameters:
    ///   - actual: The computed tensor.
    ///   - expected: The right tensor.
    /// - Returns: A sentence that names the place and both values, or nil if there is none.
    public func firstDifference(_ actual: Tensor, _ expected: Tensor) -> String? {
        guard actual.elementType == expected.elementType else {
            return "element type \(actual.elementType) is not \(expected.elementType)"
        }
        guard actual.shape == expected.shape else { return "shape \(actual.shape) is not \(expected.shape)" }
        let left = actual.doubles
        let right = expected.doubles
        for index in left.indices where !allows(left[index], right[index]) {
            return "element \(index) of \(actual.shape) is \(left[index]), not \(right[index]) (\(reason))"
        }
        return nil
    }
}

extension Tensor {
    /// All elements converted to Double, in row-major order.
    public var doubles: [Double] {
        switch elementType {
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        case .int8: array(of: Int8.self).map(Double.init)
        case .int16: array(of: Int16.self).map(Double.init)
        case .int32: array(of: Int32.self).map(Double.init)
        case .int64: array(of: Int64.self).map(Double.init)
        case .uint8: array(of: UInt8.self).map(Double.init)
        case .uint16: array(of: UInt16.self).map(Double.init)
        case .uint32: array(of: UInt32.self).map(Double.init)
        case .uint64: array(of: UInt64.self).map(Double.init)
        case .bool: array(of: Bool.self).map { $0 ? 1 : 0 }
        case .float16: bits16.map { Double(Float16(bitPattern: $0)) }
        case .bfloat16: bits16.map { Double(Float(bitPattern: UInt32($0) << 16)) }
        default: widened.doubles
        }
    }

    private var bits16: [UInt16] {
        withBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
        }
    }

    /// The largest absolute difference to a tensor of the same shape; infinite if the shapes differ or a value
    /// is NaN in one only.
    ///
    /// - Parameter other: The tensor to compare with.
    /// - Returns: The difference, at least 0.
    public func maximumDifference(to other: Tensor) -> Double {
        guard shape == other.shape else { return .infinity }
        var largest = 0.0
        for (a, b) in zip(doubles, other.doubles) where a != b && !(a.isNaN && b.isNaN) {
            let difference = (a - b).magnitude
            largest = difference.isNaN ? .infinity : max(largest, difference)
        }
        return largest
    }
}
