import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// AveragePool and LpPool: the mean of each window, or the p-norm of its elements.
///
/// Sums run in Double, along the window, so that they depend on nothing outside of it.
struct AveragePool: PoolingOperator {
    private enum Summary { case mean(countsPadding: Bool), norm(p: Double) }

    let windows: WindowAttributes
    private let summary: Summary

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        summary = .mean(countsPadding: try reader.flag("count_include_pad", default: false))
        let roundsUp = try reader.flag("ceil_mode", default: false)
        windows = try WindowAttributes(&reader, roundsUp: roundsUp)
    }

    init(norm reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        let p = try reader.int("p", default: 2)
        guard p >= 1 else { throw .attributeValue("p") }
        summary = .norm(p: Double(p))
        let roundsUp = try reader.flag("ceil_mode", default: false)
        windows = try WindowAttributes(&reader, roundsUp: roundsUp)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        guard let kernel = windows.kernel else { throw .missingAttribute("kernel_shape") }
        let windows = try windows.windows(over: Array(x.shape.dimensions.dropFirst(2)), kernel: kernel)
        switch x.elementType {
        case .float32: return .one(try pool(of: Float.self, x, windows, inputs))
        case .float64: return .one(try pool(of: Double.self, x, windows, inputs))
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func pool<T: TensorElement & BinaryFloatingPoint>(
        of type: T.Type,
        _ x: Tensor,
        _ windows: Windows,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let planes = x.shape[0] * x.shape[1]
        let shape = try Shape.checked([x.shape[0], x.shape[1]] + windows.outputLengths)
        let outputs = shape.elementCount / max(planes, 1)
        return try inputs.makeTensor(of: T.self, shape) { result in
            guard shape.elementCount > 0 else { return }
            x.withPointer(to: T.self) { source in
                for plane in 0..<planes {
                    let source = source + plane * windows.inputCount
                    windows.forEach { index, place, z, y, x in
                        var sum = 0.0
                        for i in 0..<z.count {
                            for j in 0..<y.count {
                                let row =
                                    ((z.position + i * z.step) * windows.y.length + y.position + j * y.step)
                                    * windows.x.length
                                for k in 0..<x.count {
                                    sum += term(Double(source[row + x.position + k * x.step]))
                                }
                            }
                        }
                        let count = z.count * y.count * x.count
                        result[plane * outputs + index] = T(
                            finish(sum, count, padded: paddedCount(place, windows))
                        )
                    }
                }
            }
        }
    }

    @inline(__always)
    private func term(_ x: Double) -> Double {
        guard case .norm(let p) = summary else { return x }
        return p == 1 ? x.magnitude : p == 2 ? x * x : pow(x.magnitude, p)
    }

    /// The result of a window with some elements of the input, and as many of it or its padding.
    @inline(__always)
    private func finish(_ sum: Double, _ count: Int, padded: @autoclosure () -> Double) -> Double {
        switch summary {
        case .norm(let p): p == 1 ? sum : p == 2 ? sum.squareRoot() : pow(sum, 1 / p)
        case .mean(let countsPadding): sum / (countsPadding ? padded() : Double(count))
        }
    }

    private func paddedCount(_ place: (Int, Int, Int), _ windows: Windows) -> Double {
        Double(windows.z.paddedCount(place.0)) * Double(windows.y.paddedCount(place.1))
            * Double(windows.x.paddedCount(place.2))
    }
}

/// The packed rule: the same windows over rows, all channels of a row together.
extension AveragePool {
    func resultTypes(_ type: ElementType) -> [ElementType] { [type] }

    func pool(_ x: Tensor, _ windows: SegmentWindows, _ inputs: NodeInputs) throws(OperatorError) -> [Tensor]
    {
        switch x.elementType {
        case .float32: return [try rows(of: Float.self, x, windows, inputs)]
        case .float64: return [try rows(of: Double.self, x, windows, inputs)]
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func rows<T: TensorElement & BinaryFloatingPoint>(
        of type: T.Type,
        _ x: Tensor,
        _ windows: SegmentWindows,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let columns = windows.columns
        return try inputs.makeTensor(of: T.self, windows.shape) { y in
            x.withPointer(to: T.self) { x in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: max(columns, 1)) { sums in
                    windows.forEach { sequence, place, row, taps in
                        for column in 0..<columns { sums[column] = 0 }
                        let first = x + (windows.from[sequence].lowerBound + taps.position) * columns
                        for tap in 0..<taps.count {
                            let source = first + tap * taps.step * columns
                            for column in 0..<columns { sums[column] += term(Double(source[column])) }
                        }
                        let padded = Double(windows.axes[sequence].paddedCount(place))
                        for column in 0..<columns {
                            y[row * columns + column] = T(finish(sums[column], taps.count, padded: padded))
                        }
                    }
                }
            }
        }
    }
}
