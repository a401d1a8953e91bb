import TensorCore

/// MaxPool: the largest element of each window, and on demand its index in the flattened input.
///
/// A window without any element of the input gives the type's smallest value and index 0.
struct MaxPool: PoolingOperator {
    let windows: WindowAttributes
    private let givesIndices: Bool
    private let isColumnMajor: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        try reader.expectOutputs(1...2)
        let roundsUp = try reader.flag("ceil_mode", default: false)
        isColumnMajor = try reader.flag("storage_order", default: false)
        windows = try WindowAttributes(&reader, roundsUp: roundsUp)
        givesIndices = reader.outputCount == 2
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        guard let kernel = windows.kernel else { throw .missingAttribute("kernel_shape") }
        let windows = try windows.windows(over: Array(x.shape.dimensions.dropFirst(2)), kernel: kernel)
        switch x.elementType {
        case .float32: return try pool(of: Float.self, x, windows, lowest: -.infinity, inputs)
        case .float64: return try pool(of: Double.self, x, windows, lowest: -.infinity, inputs)
        case .int8: return try pool(of: Int8.self, x, windows, lowest: .min, inputs)
        case .uint8: return try pool(of: UInt8.self, x, windows, lowest: .min, inputs)
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func pool<T: TensorElement & Comparable>(
        of type: T.Type,
        _ x: Tensor,
        _ windows: Windows,
        lowest: T,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        let planes = x.shape[0] * x.shape[1]
        let shape = try Shape.checked([x.shape[0], x.shape[1]] + windows.outputLengths)
        let outputs = shape.elementCount / max(planes, 1)
        var indices = try inputs.makeTensor(.int64, givesIndices ? shape : Shape.checked([0]))
        let y = try inputs.makeTensor(of: T.self, shape) { y in
            guard shape.elementCount > 0 else { return }
            x.withPointer(to: T.self) { source in
                indices.withMutablePointer(to: Int64.self) { indices in
                    for plane in 0..<planes {
                        let base = plane * windows.inputCount
                        windows.forEach { index, _, z, y3, x3 in
                            let (value, position) = Self.maximum(source + base, windows, z, y3, x3, lowest)
                            y[plane * outputs + index] = value
                            if givesIndices {
                                indices[plane * outputs + index] = Int64(base + number(position, windows))
                            }
                        }
                    }
                }
            }
        }
        return givesIndices ? .many([y, indices]) : .one(y)
    }

    @inline(__always)
    private static func maximum<T: Comparable>(
        _ source: UnsafePointer<T>,
        _ windows: Windows,
        _ z: Taps,
        _ y: Taps,
        _ x: Taps,
        _ lowest: T
    ) -> (T, Int) {
        var value = lowest
        var position = -1
        for i in 0..<z.count {
            for j in 0..<y.count {
                let row =
                    ((z.position + i * z.step) * windows.y.length + y.position + j * y.step)
                    * windows.x.length
                for k in 0..<x.count {
                    let place = row + x.position + k * x.step
                    let candidate = source[place]
                    // NaN, which differs from itself, is the largest.
                    if position < 0 || candidate > value || candidate != candidate {
                        value = candidate
                        position = place
                    }
                }
            }
        }
        return (value, max(position, 0))
    }

    /// The index as it is given: with the last spatial axis running fastest, or the first.
    private func number(_ position: Int, _ windows: Windows) -> Int {
        guard isColumnMajor else { return position }
        let x = position % windows.x.length
        let y = position / windows.x.length % windows.y.length
        let z = position / windows.x.length / windows.y.length
        // The axes put in front have length 1, so the order of the real ones alone counts.
        return z + windows.z.length * (y + windows.y.length * x)
    }
}

/// The packed rule: the same windows over rows, all channels of a row together.
extension MaxPool {
    func resultTypes(_ type: ElementType) -> [ElementType] { givesIndices ? [type, .int64] : [type] }

    func pool(_ x: Tensor, _ windows: SegmentWindows, _ inputs: NodeInputs) throws(OperatorError) -> [Tensor]
    {
        switch x.elementType {
        case .float32: return try rows(of: Float.self, x, windows, lowest: -.infinity, inputs)
        case .float64: return try rows(of: Double.self, x, windows, lowest: -.infinity, inputs)
        case .int8: return try rows(of: Int8.self, x, windows, lowest: .min, inputs)
        case .uint8: return try rows(of: UInt8.self, x, windows, lowest: .min, inputs)
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func rows<T: TensorElement & Comparable>(
        of type: T.Type,
        _ x: Tensor,
        _ windows: SegmentWindows,
        lowest: T,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [Tensor] {
        let columns = windows.columns
        let y = try inputs.makeTensor(of: T.self, windows.shape) { y in
            x.withPointer(to: T.self) { x in
                windows.forEach { sequence, _, row, taps in
                    let target = y + row * columns
                    guard taps.count > 0 else { return target.update(repeating: lowest, count: columns) }
                    let first = x + (windows.from[sequence].lowerBound + taps.position) * columns
                    target.update(from: first, count: columns)
                    for tap in 1..<max(taps.count, 1) {
                        let source = first + tap * taps.step * columns
                        for column in 0..<columns {
                            let candidate = source[column]
                            // NaN, which differs from itself, is the largest.
                            if candidate > target[column] || candidate != candidate {
                                target[column] = candidate
                            }
                        }
                    }
                }
            }
        }
        return givesIndices ? [y, try indices(of: T.self, x, windows, inputs)] : [y]
    }

    /// The numbers of the largest elements among those of their own sequence, channel after channel.
    private func indices<T: TensorElement & Comparable>(
        of type: T.Type,
        _ x: Tensor,
        _ windows: SegmentWindows,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let columns = windows.columns
        return try inputs.makeTensor(of: Int64.self, windows.shape) { y in
            x.withPointer(to: T.self) { x in
                windows.forEach { sequence, _, row, taps in
                    let positions = windows.from[sequence]
                    for column in 0..<columns {
                        func element(_ position: Int) -> T {
                            x[(positions.lowerBound + position) * columns + column]
                        }
                        var place = taps.count > 0 ? taps.position : 0
                        for tap in 1..<max(taps.count, 1) {
                            let position = taps.position + tap * taps.step
                            let candidate = element(position)
                            if candidate > element(place) || candidate != candidate { place = position }
                        }
                        y[row * columns + column] = Int64(column * positions.count + place)
                    }
                }
            }
        }
    }
}
