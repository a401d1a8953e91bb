import TensorCore

/// A way to walk over a tensor's elements by axes with any distances between them: what Slice, Expand, Transpose
/// and broadcasting read.
struct StridedView {
    private(set) var rank = 0
    private(set) var dimensions = InlineArray<8, Int>(repeating: 1)
    private(set) var strides = InlineArray<8, Int>(repeating: 0)
    private(set) var offset = 0

    /// All elements of a dense tensor.
    init(_ shape: Shape) {
        rank = shape.rank
        var stride = 1
        for axis in (0..<rank).reversed() {
            dimensions[axis] = shape[axis]
            strides[axis] = stride
            stride *= max(shape[axis], 1)
        }
    }

    /// A dense tensor broadcast to a shape that it fits.
    init(_ shape: Shape, broadcastTo result: Shape) {
        let dense = StridedView(shape)
        let lead = result.rank - shape.rank
        rank = result.rank
        for axis in 0..<rank {
            dimensions[axis] = result[axis]
            guard axis >= lead, shape[axis - lead] != 1 else { continue }
            strides[axis] = dense.strides[axis - lead]
        }
    }

    /// Axes with given distances between their elements, from the first element on.
    init(dimensions: Shape, strides: [Int]) {
        rank = dimensions.rank
        for axis in 0..<rank {
            self.dimensions[axis] = dimensions[axis]
            self.strides[axis] = strides[axis]
        }
    }

    /// Keeps `count` elements of an axis, from `start` on, `step` apart; all of them must exist.
    mutating func take(axis: Int, start: Int, step: Int, count: Int) {
        if count > 0 { offset += start * strides[axis] }
        strides[axis] = count > 1 ? strides[axis] * step : strides[axis]
        dimensions[axis] = count
    }

    /// Makes an axis `count` long that stays at its first element.
    mutating func repeatInPlace(axis: Int, count: Int) {
        strides[axis] = 0
        dimensions[axis] = count
    }

    /// Copies the elements in row-major order of the view.
    func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, elementBytes: Int) {
        for axis in 0..<rank where dimensions[axis] == 0 { return }
        let start = source + offset * elementBytes
        guard rank > 0 else { return target.copyMemory(from: start, byteCount: elementBytes) }
        // The innermost axes that are dense are one block.
        var inner = rank
        var block = 1
        while inner > 0 && (strides[inner - 1] == block || dimensions[inner - 1] == 1) {
            block *= dimensions[inner - 1]
            inner -= 1
        }
        var position = target
        if block > 1 || inner == 0 {
            forEachOffset(axes: inner) { offset in
                position.copyMemory(from: start + offset * elementBytes, byteCount: block * elementBytes)
                position += block * elementBytes
            }
            return
        }
        switch elementBytes {
        case 1: copyRows(of: UInt8.self, start, position)
        case 2: copyRows(of: UInt16.self, start, position)
        case 4: copyRows(of: UInt32.self, start, position)
        default: copyRows(of: UInt64.self, start, position)
        }
    }

    private func copyRows<T: BitwiseCopyable>(
        of type: T.Type,
        _ source: UnsafeRawPointer,
        _ target: UnsafeMutableRawPointer
    ) {
        let source = source.assumingMemoryBound(to: T.self)
        var row = target.assumingMemoryBound(to: T.self)
        let count = dimensions[rank - 1]
        let stride = strides[rank - 1]
        forEachOffset(axes: rank - 1) { offset in
            for index in 0..<count { row[index] = source[offset + index * stride] }
            row += count
        }
    }

    /// Calls the closure with the offset of every combination of the outer axes, in row-major order; none may be
    /// empty.
    @inline(__always)
    func forEachOffset(axes: Int, _ body: (Int) -> Void) {
        var index = InlineArray<8, Int>(repeating: 0)
        var offset = 0
        while true {
            body(offset)
            var axis = axes - 1
            while axis >= 0 {
                index[axis] += 1
                offset += strides[axis]
                if index[axis] < dimensions[axis] { break }
                offset -= dimensions[axis] * strides[axis]
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
