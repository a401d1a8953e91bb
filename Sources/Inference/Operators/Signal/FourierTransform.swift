#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A discrete Fourier transform of one length, in Double: `X[k] = sum over j of x[j] e^(-2 pi i j k / n)`.
///
/// Powers of two by halving; other lengths as a convolution of a power of two (Bluestein's way), so that every length
/// costs O(n log n).
struct FourierTransform {
    /// A complex number.
    struct Complex {
        var real: Double
        var imaginary: Double

        static func * (a: Complex, b: Complex) -> Complex {
            Complex(
                real: a.real * b.real - a.imaginary * b.imaginary,
                imaginary: a.real * b.imaginary + a.imaginary * b.real
            )
        }

        var conjugate: Complex { Complex(real: real, imaginary: -imaginary) }
    }

    static let zero = Complex(real: 0, imaginary: 0)

    let length: Int
    /// `e^(-2 pi i k / size)` for the power of two that is transformed.
    private let roots: [Complex]
    /// `e^(-pi i k^2 / length)`; nil for a power of two.
    private let chirp: [Complex]?
    /// The transform of the chirp's conjugate, both ways around.
    private let filter: [Complex]

    /// A transform with its tables.
    ///
    /// - Parameter length: At least 1, and at most 2^31.
    init(length: Int) {
        self.length = length
        if length & (length - 1) == 0 {
            roots = Self.roots(length)
            chirp = nil
            filter = []
            return
        }
        var size = 1
        while size < 2 * length - 1 { size *= 2 }
        roots = Self.roots(size)
        // The square is taken modulo 2n, as the exponent's period is; it stays below 2^62.
        let chirp = (0..<length).map { Self.root($0 * $0 % (2 * length), of: 2 * length) }
        self.chirp = chirp
        var mirrored = [Complex](repeating: Self.zero, count: size)
        for (index, value) in chirp.enumerated() {
            mirrored[index] = value.conjugate
            if index > 0 { mirrored[size - index] = value.conjugate }
        }
        Self.transform(&mirrored, roots)
        filter = mirrored
    }

    /// The root `e^(-2 pi i index / count)` of 1.
    private static func root(_ index: Int, of count: Int) -> Complex {
        let angle = -2 * Double.pi * Double(index) / Double(count)
        return Complex(real: cos(angle), imaginary: sin(angle))
    }

    private static func roots(_ count: Int) -> [Complex] { (0..<count / 2).map { root($0, of: count) } }

    /// Transforms in place.
    ///
    /// - Parameter values: ``length`` numbers.
    func apply(_ values: inout [Complex]) {
        guard let chirp else { return Self.transform(&values, roots) }
        var work = [Complex](repeating: Self.zero, count: filter.count)
        for index in 0..<length { work[index] = values[index] * chirp[index] }
        Self.transform(&work, roots)
        // The way back is the way there with everything conjugated.
        for index in work.indices { work[index] = (work[index] * filter[index]).conjugate }
        Self.transform(&work, roots)
        let scale = 1 / Double(filter.count)
        for index in 0..<length {
            let value = work[index].conjugate * chirp[index]
            values[index] = Complex(real: value.real * scale, imaginary: value.imaginary * scale)
        }
    }

    /// Transforms back in place.
    ///
    /// `x[j] = 1 / n * sum over k of X[k] e^(2 pi i j k / n)`
    ///
    /// - Parameter values: ``length`` numbers.
    func invert(_ values: inout [Complex]) {
        for index in values.indices { values[index] = values[index].conjugate }
        apply(&values)
        let scale = 1 / Double(length)
        for index in values.indices {
            values[index] = Complex(
                real: values[index].real * scale,
                imaginary: -values[index].imaginary * scale
            )
        }
    }

    /// A power of two, in place.
    private static func transform(_ values: inout [Complex], _ roots: [Complex]) {
        let count = values.count
        var reversed = 0
        for index in 1..<max(count, 1) {
            var bit = count >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed { values.swapAt(index, reversed) }
        }
        var span = 1
        while span < count {
            let step = count / (2 * span)
            for start in stride(from: 0, to: count, by: 2 * span) {
                for index in 0..<span {
                    let (a, b) = (values[start + index], values[start + index + span] * roots[index * step])
                    values[start + index] = Complex(
                        real: a.real + b.real,
                        imaginary: a.imaginary + b.imaginary
                    )
                    values[start + index + span] = Complex(
                        real: a.real - b.real,
                        imaginary: a.imaginary - b.imaginary
                    )
                }
            }
            span *= 2
        }
    }
}
