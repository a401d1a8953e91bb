import TensorCore

/// ConvTranspose over one to three axes: each element of `[B, C, ...]` adds a window of weights `[C, N / group, ...]`.
///
/// An axis of the result has `stride * (length - 1) + output_padding + extent - pads` positions, or as many as
/// `output_shape` says.
struct ConvTranspose: Operator {
    private let attributes: WindowAttributes
    private let groups: Int
    private let outputPadding: [Int]?
    private let outputShape: [Int]?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...3)
        attributes = try WindowAttributes(&reader)
        groups = try reader.int("group", default: 1)
        outputPadding = try reader.ints("output_padding")
        outputShape = try reader.ints("output_shape")
        for (name, values) in [("output_padding", outputPadding), ("output_shape", outputShape)] {
            guard (values ?? []).allSatisfy({ (0..<WindowAttributes.limit).contains($0) }) else {
                throw .attributeValue(name)
            }
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let weights = try inputs.tensor(1, of: x.elementType)
        let rank = x.shape.rank
        guard (3...5).contains(rank) else { throw .unsupportedRank(rank, input: 0) }
        guard weights.shape.rank == rank else { throw .unsupportedRank(weights.shape.rank, input: 1) }
        guard weights.shape[0] == x.shape[1] else {
            throw .shape(.dimensionMismatch(axis: 0, expected: x.shape[1], actual: weights.shape[0]))
        }
        guard groups >= 1, x.shape[1] % groups == 0 else { throw .attributeValue("group") }
        let (filters, overflow) = weights.shape[1].multipliedReportingOverflow(by: groups)
        guard !overflow else { throw .attributeValue("group") }
        let kernel = Array(weights.shape.dimensions.dropFirst(2))
        let lengths = Array(x.shape.dimensions.dropFirst(2))
        let axes = try axes(lengths: lengths, kernel: kernel)
        let shape = try Shape.checked([x.shape[0], filters] + axes.map(\.length))
        let single = WindowAxis(length: 1, kernel: 1, stride: 1, dilation: 1, extent: 1, outputs: 1)
        let padded = [WindowAxis](repeating: single, count: 3 - axes.count) + axes
        let windows = Windows(rank: axes.count, z: padded[0], y: padded[1], x: padded[2])
        let product: Tensor
        switch x.elementType {
        case .float32: product = try spread(of: Float.self, x, weights, shape, windows, inputs)
        case .float64: product = try spread(of: Double.self, x, weights, shape, windows, inputs)
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
        guard inputs.optional(2) != nil else { return .one(product) }
        let bias = try inputs.tensor(2, of: x.elementType)
        guard bias.count == filters else {
            throw .shape(.elementCountMismatch(expected: filters, actual: bias.count))
        }
        let ones = [Int](repeating: 1, count: rank - 2)
        let addend = try bias.viewed(as: Shape.checked([filters] + ones))
        return .one(try Arithmetic.combine(.add, product, addend, inputs, mayWrite: (true, false)))
    }

    /// Windows over the result, one for each element of the input.
    private func axes(lengths: [Int], kernel: [Int]) throws(OperatorError) -> [WindowAxis] {
        let rank = lengths.count
        func checked(_ values: [Int]?, _ name: String, _ standard: Int) throws(OperatorError) -> [Int] {
            guard let values else { return [Int](repeating: standard, count: rank) }
            guard values.count == rank else { throw .attributeValue(name) }
            return values
        }
        if let written = attributes.kernel, written != kernel { throw .attributeValue("kernel_shape") }
        let strides = try checked(attributes.strides, "strides", 1)
        let dilations = try checked(attributes.dilations, "dilations", 1)
        let more = try checked(outputPadding, "output_padding", 0)
        // The whole shape may be written, or its spatial axes.
        let wanted = outputShape.map { Array($0.suffix(rank)) }
        guard wanted.map({ $0.count == rank }) ?? true else { throw .attributeValue("output_shape") }
        var axes: [WindowAxis] = []
        for axis in 0..<rank {
            let extent = (kernel[axis] - 1) * dilations[axis] + 1
            guard kernel[axis] > 0 else { throw .attributeValue("kernel_shape") }
            guard lengths[axis] > 0 else {
                throw .shape(.dimensionMismatch(axis: axis + 2, expected: 1, actual: 0))
            }
            // Each factor is below 2^31, so the sums stay in range.
            let full = strides[axis] * (lengths[axis] - 1) + extent + more[axis]
            var (begin, end) = (0, 0)
            if let wanted {
                (begin, end) = halves(max(0, full - wanted[axis]))
            } else if case .given(let pads) = attributes.padding {
                guard (pads?.count ?? 2 * rank) == 2 * rank else { throw .attributeValue("pads") }
                (begin, end) = (pads?[axis] ?? 0, pads?[rank + axis] ?? 0)
            } else {
                (begin, end) = halves(max(0, full - lengths[axis] * strides[axis]))
            }
            let length = wanted?[axis] ?? (full - begin - end)
            guard length >= 0 else { throw .attributeValue("pads") }
            axes.append(
                WindowAxis(
                    length: length,
                    kernel: kernel[axis],
                    stride: strides[axis],
                    dilation: dilations[axis],
                    extent: extent,
                    begin: begin,
                    end: end,
                    outputs: lengths[axis]
                )
            )
        }
        return axes
    }

    private func halves(_ total: Int) -> (Int, Int) {
        attributes.padding == .sameUpper
            ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
    }

    /// For each sample and group: weights times input, then every column added where its window lies.
    private func spread<T: RealNumber>(
        of type: T.Type,
        _ x: Tensor,
        _ weights: Tensor,
        _ shape: Shape,
        _ windows: Windows,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let channels = x.shape[1] / groups
        let filters = weights.shape[1]
        let taps = windows.z.kernel * windows.y.kernel * windows.x.kernel
        let elements = windows.z.outputs * windows.y.outputs * windows.x.outputs
        var columns = try inputs.makeTensor(T.elementType, Shape.checked([filters, taps, elements]))
        var y = try inputs.makeTensor(T.elementType, shape)
        let count = shape.elementCount
        x.withPointer(to: T.self) { x in
            weights.withPointer(to: T.self) { weights in
                columns.withMutablePointer(to: T.self) { columns in
                    y.withMutablePointer(to: T.self) { y in
                        y.update(repeating: 0, count: count)
                        for part in 0..<shape[0] * groups where count > 0 {
                            T.multiply(
                                transposeA: true,
                                transposeB: false,
                                m: filters * taps,
                                n: elements,
                                k: channels,
                                alpha: 1,
                                a: weights + part % groups * channels * filters * taps,
                                lda: filters * taps,
                                b: x + part * channels * elements,
                                ldb: elements,
                                c: columns,
                                ldc: elements
                            )
                            for filter in 0..<filters {
                                add(
                                    columns + filter * taps * elements,
                                    to: y + (part * filters + filter) * windows.inputCount,
                                    elements: elements,
                                    windows
                                )
                            }
                        }
                    }
                }
            }
        }
        return y
    }

    private func add<T: RealNumber>(
        _ columns: UnsafePointer<T>,
        to target: UnsafeMutablePointer<T>,
        elements: Int,
        _ windows: Windows
    ) {
        let (ky, kx) = (windows.y.kernel, windows.x.kernel)
        windows.forEach { index, _, z, y, x in
            for i in 0..<z.count {
                for j in 0..<y.count {
                    let row =
                        ((z.position + i * z.step) * windows.y.length + y.position + j * y.step)
                        * windows.x.length
                    let tap = ((z.first + i) * ky + y.first + j) * kx + x.first
                    for k in 0..<x.count {
                        target[row + x.position + k * x.step] += columns[(tap + k) * elements + index]
                    }
                }
            }
        }
    }
}
