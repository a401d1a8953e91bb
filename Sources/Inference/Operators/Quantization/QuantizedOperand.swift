import TensorCore

/// Integers with their zero points taken off, and scales, as the products of quantized tensors need them.
enum QuantizedOperand {
    /// Which axis of a matrix one-dimensional parameters belong to.
    enum Parameters {
        /// One a row: `[M]` stands for `[M, 1]`.
        case rows
        /// One a column: `[N]`.
        case columns
        /// One an output channel: `[N]` stands for `[N, 1, ...]`.
        case channels
    }

    /// `x - zero point` in int32.
    ///
    /// - Parameters:
    ///   - x: int8 or uint8.
    ///   - zero: Of the same type, or nil for 0.
    ///   - parameters: Where zero points of rank 1 belong.
    ///   - input: The number of the zero point's input, for errors.
    ///   - inputs: Make memory.
    /// - Returns: A tensor of the shape of `x`.
    /// - Throws: The type or shape that does not fit.
    static func centred(
        _ x: Tensor,
        zero: Tensor?,
        _ parameters: Parameters,
        input: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        guard x.elementType == .int8 || x.elementType == .uint8 else {
            throw .unsupportedElementType(x.elementType, input: 0)
        }
        let wide = try Cast.convert(x, to: .int32, inputs, input: 0)
        guard let zero else { return wide }
        guard zero.elementType == x.elementType else {
            throw .elementTypesDiffer(x.elementType, zero.elementType)
        }
        let addend = try spread(
            Cast.convert(zero, to: .int32, inputs, input: input),
            parameters,
            rank: x.shape.rank
        )
        guard try addend.shape.broadcasting(x.shape) == x.shape else {
            throw .shape(.notBroadcastable(zero.shape.dimensions, x.shape.dimensions))
        }
        return try TypedMap.binary(wide, addend, inputs) { (a: Int32, b: Int32) in a &- b }
    }

    /// Parameters in a shape that is broadcast to where they belong.
    static func spread(_ tensor: Tensor, _ parameters: Parameters, rank: Int) throws(OperatorError) -> Tensor
    {
        guard tensor.count > 1 || tensor.shape.rank > 1 else { return try tensor.viewed(as: Shape()) }
        guard tensor.shape.rank == 1 else { return tensor }
        switch parameters {
        case .rows: return try tensor.viewed(as: Shape.checked([tensor.count, 1]))
        case .columns: return tensor
        case .channels:
            let ones = [Int](repeating: 1, count: max(0, rank - 1))
            return try tensor.viewed(as: Shape.checked([tensor.count] + ones))
        }
    }
}

/// Sums of products back in 8 bits: `saturate(round(sum * factor) + zero point)`.
struct Requantization: QuantizedWork {
    /// int32.
    let sums: Tensor
    /// float32, broadcast to the sums: the operands' scales divided by the result's.
    let factors: Tensor
    /// Of the result's type, broadcast to the sums.
    let zero: Tensor
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        for parameters in [factors, zero] {
            guard try parameters.shape.broadcasting(sums.shape) == sums.shape else {
                throw .shape(.notBroadcastable(parameters.shape.dimensions, sums.shape.dimensions))
            }
        }
        // A product of an int32 and a float32 is all but exact in Double, and rounded once.
        let wide = try Cast.convert(sums, to: .float64, inputs, input: 0)
        let factor = try Cast.convert(factors, to: .float64, inputs, input: 0)
        let addend = try Cast.convert(zero, to: .float64, inputs, input: 0)
        let scaled = try TypedMap.binary(wide, factor, inputs) { (a: Double, b: Double) in a * b }
        return try TypedMap.binary(scaled, addend, inputs) { (value: Double, zero: Double) in
            T(quantizing: value, zero: zero)
        }
    }
}
