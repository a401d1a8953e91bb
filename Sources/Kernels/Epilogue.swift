internal import CKernels

/// What is done to every result of a product or convolution while it is still in the cache.
///
/// `y = residual + mask * activation(x * scale + bias)`; a step whose pointer is nil is left out.
public struct Epilogue {
    /// One factor a channel.
    public var scale: UnsafePointer<Float>?
    /// One addend a channel.
    public var bias: UnsafePointer<Float>?
    /// Applied after scale and bias; ``UnaryOperation/identity`` for none.
    public var activation: UnaryOperation
    /// One factor a position (or row).
    public var mask: UnsafePointer<Float>?
    /// Added last; dense, laid out as the output (it may be the output itself).
    public var residual: UnsafePointer<Float>?

    /// An epilogue of the steps given.
    ///
    /// - Parameters:
    ///   - scale: One factor a channel.
    ///   - bias: One addend a channel.
    ///   - activation: Applied after scale and bias.
    ///   - mask: One factor a position.
    ///   - residual: Laid out as the output.
    public init(
        scale: UnsafePointer<Float>? = nil,
        bias: UnsafePointer<Float>? = nil,
        activation: UnaryOperation = .identity,
        mask: UnsafePointer<Float>? = nil,
        residual: UnsafePointer<Float>? = nil
    ) {
        self.scale = scale
        self.bias = bias
        self.activation = activation
        self.mask = mask
        self.residual = residual
    }

    /// The part that begins at a row, and at a channel, of a result `[R, C]` whose channels are the columns.
    func native(fromRow row: Int, columns: Int, channel: Int = 0) -> sn_epilogue {
        sn_epilogue(
            scale: scale.map { $0 + channel },
            bias: bias.map { $0 + channel },
            mask: mask.map { $0 + row },
            residual: residual.map { $0 + row * columns + channel },
            activation: activation.rawValue
        )
    }

    var native: sn_epilogue { native(fromRow: 0, columns: 0) }
}
