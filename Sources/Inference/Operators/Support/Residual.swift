import TensorCore

extension NodeInputs {
    /// Memory for a float32 output, to which a residual is added: by what computes the output, if both have one shape.
    ///
    /// - Parameters:
    ///   - residual: The input that is added; nil for none. With its last use its memory becomes the output's.
    ///   - shape: That of what is computed.
    ///   - body: Writes the output; gets its memory, and the residual's if it must add that, which may be the same.
    /// - Returns: The sum.
    /// - Throws: ``OperatorError`` if the residual is not float32, or cannot be broadcast.
    func sum(
        with residual: Int?,
        _ shape: Shape,
        _ body: (UnsafeMutablePointer<Float>, _ residual: UnsafePointer<Float>?) -> Void
    ) throws(OperatorError) -> Tensor {
        guard let residual else { return try makeTensor(of: Float.self, shape) { body($0, nil) } }
        _ = try float32(residual)
        var addend = try take(residual)
        guard addend.shape == shape else {
            let result = try makeTensor(of: Float.self, shape) { body($0, nil) }
            return try Arithmetic.combine(.add, addend, result, self, mayWrite: (isLastUse(residual), true))
        }
        guard isLastUse(residual), addend.isUniquelyReferenced() else {
            return try makeTensor(of: Float.self, shape) { result in
                addend.withPointer(to: Float.self) { body(result, $0) }
            }
        }
        addend.withMutablePointer(to: Float.self) { body($0, $0) }
        return addend
    }
}
