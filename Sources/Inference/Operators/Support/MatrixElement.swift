import Kernels
import TensorCore

/// A type of numbers that matrices are multiplied in: float32 by the kernels, others by plain loops; integers wrap
/// around.
protocol MatrixElement: TensorNumber {
    /// `C = alpha * op(A) * op(B)`, row-major; the bits of a row of `C` depend on that row of `A` and on `B` alone.
    static func multiply(
        transposeA: Bool,
        transposeB: Bool,
        m: Int,
        n: Int,
        k: Int,
        alpha: Self,
        a: UnsafePointer<Self>,
        lda: Int,
        b: UnsafePointer<Self>,
        ldb: Int,
        c: UnsafeMutablePointer<Self>,
        ldc: Int
    )

    /// A factor that an attribute says; nil if the type cannot hold it.
    init?(exactFactor: Float)
}

extension MatrixElement {
    static func multiply(
        transposeA: Bool,
        transposeB: Bool,
        m: Int,
        n: Int,
        k: Int,
        alpha: Self,
        a: UnsafePointer<Self>,
        lda: Int,
        b: UnsafePointer<Self>,
        ldb: Int,
        c: UnsafeMutablePointer<Self>,
        ldc: Int
    ) {
        PlainProduct.multiply(
            transposeA: transposeA,
            transposeB: transposeB,
            m: m,
            n: n,
            k: k,
            a: a,
            lda: lda,
            b: b,
            ldb: ldb,
            c: c,
            ldc: ldc
        )
        guard alpha != 1 else { return }
        for row in 0..<m {
            for column in 0..<n { c[row * ldc + column] = product(c[row * ldc + column], alpha) }
        }
    }
}

extension MatrixElement where Self: FixedWidthInteger {
    init?(exactFactor: Float) { self.init(exactly: exactFactor) }
}

extension MatrixElement where Self: BinaryFloatingPoint {
    init?(exactFactor: Float) { self.init(exactFactor) }
}

extension Float: MatrixElement {
    static func multiply(
        transposeA: Bool,
        transposeB: Bool,
        m: Int,
        n: Int,
        k: Int,
        alpha: Float,
        a: UnsafePointer<Float>,
        lda: Int,
        b: UnsafePointer<Float>,
        ldb: Int,
        c: UnsafeMutablePointer<Float>,
        ldc: Int
    ) {
        GEMM.multiply(
            transposeA: transposeA,
            transposeB: transposeB,
            m: m,
            n: n,
            k: k,
            alpha: alpha,
            a: a,
            lda: lda,
            b: b,
            ldb: ldb,
            c: c,
            ldc: ldc
        )
    }
}

extension Double: MatrixElement {}
extension Int8: MatrixElement {}
extension Int16: MatrixElement {}
extension Int32: MatrixElement {}
extension Int64: MatrixElement {}
extension UInt8: MatrixElement {}
extension UInt16: MatrixElement {}
extension UInt32: MatrixElement {}
extension UInt64: MatrixElement {}

/// Work that is written once for every type that matrices are multiplied in.
protocol MatrixWork {
    /// Does the work on tensors whose elements have a type.
    func run<T: MatrixElement>(_ type: T.Type) throws(OperatorError) -> Tensor
}

extension MatrixWork {
    /// Does the work for the type of an input; other types are refused.
    func run(for type: ElementType, input: Int) throws(OperatorError) -> Tensor {
        switch type {
        case .float32: return try run(Float.self)
        case .float64: return try run(Double.self)
        case .int8: return try run(Int8.self)
        case .int16: return try run(Int16.self)
        case .int32: return try run(Int32.self)
        case .int64: return try run(Int64.self)
        case .uint8: return try run(UInt8.self)
        case .uint16: return try run(UInt16.self)
        case .uint32: return try run(UInt32.self)
        case .uint64: return try run(UInt64.self)
        default: throw .unsupportedElementType(type, input: input)
        }
    }
}
