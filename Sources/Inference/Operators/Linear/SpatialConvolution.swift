import TensorCore

/// A convolution over one to three axes as a matrix product: each window's elements are gathered to a column.
///
/// For shapes the 1-D kernels are not made for. A batch's samples are computed one by one, so none depends on others.
struct SpatialConvolution {
    let windows: Windows
    let groups: Int
    let inputChannels: Int
    let outputChannels: Int

    /// Checks weights `[N, C / groups, ...]` against an input `[B, C, ...]`.
    init(
        _ attributes: WindowAttributes,
        groups: Int,
        x: Shape,
        weights: Shape
    ) throws(OperatorError) {
        guard x.rank > 2 else { throw .unsupportedRank(x.rank, input: 0) }
        guard weights.rank == x.rank else { throw .unsupportedRank(weights.rank, input: 1) }
        guard groups >= 1, x[1] % groups == 0, weights[0] % groups == 0 else {
            throw .attributeValue("group")
        }
        guard weights[1] == x[1] / groups else {
            throw .shape(.dimensionMismatch(axis: 1, expected: x[1] / groups, actual: weights[1]))
        }
        windows = try attributes.windows(
            over: Array(x.dimensions.dropFirst(2)),
            kernel: Array(weights.dimensions.dropFirst(2))
        )
        self.groups = groups
        inputChannels = x[1]
        outputChannels = weights[0]
    }

    /// The convolution without bias, of tensors that both have the element type.
    func apply<T: MatrixElement>(
        of type: T.Type,
        _ x: Tensor,
        _ weights: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let channels = inputChannels / groups
        let filters = outputChannels / groups
        let taps = windows.z.kernel * windows.y.kernel * windows.x.kernel
        let shape = try Shape.checked([x.shape[0], outputChannels] + windows.outputLengths)
        let outputs = windows.z.outputs * windows.y.outputs * windows.x.outputs
        guard shape.elementCount > 0 else { return try inputs.makeTensor(T.elementType, shape) }
        var columns = try inputs.makeTensor(T.elementType, Shape.checked([channels, taps, outputs]))
        var y = try inputs.makeTensor(T.elementType, shape)
        x.withPointer(to: T.self) { x in
            weights.withPointer(to: T.self) { weights in
                columns.withMutablePointer(to: T.self) { columns in
                    y.withMutablePointer(to: T.self) { y in
                        for part in 0..<shape[0] * groups {
                            let source = x + part * channels * windows.inputCount
                            for channel in 0..<channels {
                                gather(
                                    source + channel * windows.inputCount,
                                    into: columns + channel * taps * outputs,
                                    outputs: outputs
                                )
                            }
                            T.multiply(
                                transposeA: false,
                                transposeB: false,
                                m: filters,
                                n: outputs,
                                k: channels * taps,
                                alpha: 1,
                                a: weights + part % groups * filters * channels * taps,
                                lda: channels * taps,
                                b: columns,
                                ldb: outputs,
                                c: y + part * filters * outputs,
                                ldc: outputs
                            )
                        }
                    }
                }
            }
        }
        return y
    }

    /// Writes `[taps, outputs]`: what each tap of each window reads, 0 where that is padding.
    private func gather<T: MatrixElement>(
        _ source: UnsafePointer<T>,
        into columns: UnsafeMutablePointer<T>,
        outputs: Int
    ) {
        let (ky, kx) = (windows.y.kernel, windows.x.kernel)
        columns.update(repeating: 0, count: windows.z.kernel * ky * kx * outputs)
        windows.forEach { index, _, z, y, x in
            for i in 0..<z.count {
                for j in 0..<y.count {
                    let row =
                        ((z.position + i * z.step) * windows.y.length + y.position + j * y.step)
                        * windows.x.length
                    let tap = ((z.first + i) * ky + y.first + j) * kx + x.first
                    for k in 0..<x.count {
                        columns[(tap + k) * outputs + index] = source[row + x.position + k * x.step]
                    }
                }
            }
        }
    }
}
