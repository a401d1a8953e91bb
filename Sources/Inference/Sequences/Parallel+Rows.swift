import Kernels

extension Parallel {
    /// What a position takes at least in a model worth sharing between threads, in multiply-adds.
    static let workOfRow = 8192
}
