import TensorCore

/// How a convolution or a pooling slides its windows over the axes behind batch and channel.
struct WindowAttributes: Sendable {
    enum Padding: Sendable, Equatable {
        /// Begins of all axes, then their ends; nil means none.
        case given([Int]?)
        case sameUpper, sameLower
    }

    /// The most positions of an axis, of a window, of a step; sums and products of two stay in range.
    static let limit = 1 << 31

    let kernel: [Int]?
    let strides: [Int]?
    let dilations: [Int]?
    let padding: Padding
    /// Whether a last window that is not whole counts.
    let roundsUp: Bool

    init(_ reader: inout AttributeReader, roundsUp: Bool = false) throws(OperatorError) {
        self.roundsUp = roundsUp
        kernel = try reader.ints("kernel_shape")
        strides = try reader.ints("strides")
        dilations = try reader.ints("dilations")
        let pads = try reader.ints("pads")
        switch try reader.string("auto_pad") ?? "NOTSET" {
        case "NOTSET": padding = .given(pads)
        case "VALID": padding = .given(nil)
        case "SAME_UPPER": padding = .sameUpper
        case "SAME_LOWER": padding = .sameLower
        default: throw .attributeValue("auto_pad")
        }
        for (name, values) in [("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)] {
            guard let values else { continue }
            guard values.allSatisfy({ (1..<Self.limit).contains($0) }) else { throw .attributeValue(name) }
        }
        guard (pads ?? []).allSatisfy({ (0..<Self.limit).contains($0) }) else {
            throw .attributeValue("pads")
        }
    }

    /// The windows over axes of given lengths.
    ///
    /// - Parameters:
    ///   - lengths: The lengths of the spatial axes, at most 3.
    ///   - kernel: The window's extent in each of them.
    /// - Returns: The windows, with axes of length 1 put in front so that there are 3.
    /// - Throws: The attribute that does not fit the number of axes.
    func windows(over lengths: [Int], kernel: [Int]) throws(OperatorError) -> Windows {
        let rank = lengths.count
        guard (1...3).contains(rank) else { throw .unsupportedRank(rank + 2, input: 0) }
        if let written = self.kernel, written != kernel { throw .attributeValue("kernel_shape") }
        guard kernel.count == rank, kernel.allSatisfy({ (1..<Self.limit).contains($0) }) else {
            throw .attributeValue("kernel_shape")
        }
        let strides = try values(strides, "strides", rank)
        let dilations = try values(dilations, "dilations", rank)
        if case .given(let pads?) = padding, pads.count != 2 * rank { throw .attributeValue("pads") }
        var axes: [WindowAxis] = []
        for axis in 0..<rank {
            let extent = (kernel[axis] - 1) * dilations[axis] + 1
            axes.append(
                try place(
                    axis,
                    of: rank,
                    length: lengths[axis],
                    WindowAxis(
                        length: lengths[axis],
                        kernel: kernel[axis],
                        stride: strides[axis],
                        dilation: dilations[axis],
                        extent: extent
                    )
                )
            )
        }
        let single = WindowAxis(length: 1, kernel: 1, stride: 1, dilation: 1, extent: 1, outputs: 1)
        axes = [WindowAxis](repeating: single, count: 3 - rank) + axes
        return Windows(rank: rank, z: axes[0], y: axes[1], x: axes[2])
    }

    private func values(_ values: [Int]?, _ name: String, _ rank: Int) throws(OperatorError) -> [Int] {
        guard let values else { return [Int](repeating: 1, count: rank) }
        guard values.count == rank else { throw .attributeValue(name) }
        return values
    }

    private func place(_ axis: Int, of rank: Int, length: Int, _ window: WindowAxis) throws(OperatorError)
        -> WindowAxis
    {
        var window = window
        if case .given(let pads) = padding {
            window.begin = pads?[axis] ?? 0
            window.end = pads?[rank + axis] ?? 0
            let span = length + window.begin + window.end - window.extent
            guard span >= 0 else {
                // Nothing comes of nothing; but what is too short has no answer, not an empty one.
                if length == 0 { return window }
                throw .windowTooLong(extent: window.extent, length: length + window.begin + window.end)
            }
            window.outputs = span / window.stride + 1
            // A window that would start behind the input and its begin is none.
            if roundsUp, span % window.stride > 0, window.outputs * window.stride < length + window.begin {
                window.outputs += 1
            }
            return window
        }
        window.outputs = (length + window.stride - 1) / window.stride
        let total = max(0, (window.outputs - 1) * window.stride + window.extent - length)
        window.begin = padding == .sameUpper ? total / 2 : total - total / 2
        window.end = total - window.begin
        return window
    }
}

/// The windows along one axis.
struct WindowAxis: Sendable {
    let length: Int
    let kernel: Int
    let stride: Int
    let dilation: Int
    /// From the first to the last position of a window.
    let extent: Int
    /// Positions of padding before and after.
    var begin = 0
    var end = 0
    /// The number of windows.
    var outputs = 0

    /// The positions of a window that lie in the input.
    @inline(__always)
    func taps(_ output: Int) -> Taps {
        let start = output * stride - begin
        let first = start < 0 ? (dilation - 1 - start) / dilation : 0
        guard start < length else { return Taps(first: first, count: 0, position: start, step: dilation) }
        let last = min(kernel, (length - 1 - start) / dilation + 1)
        return Taps(
            first: first,
            count: max(0, last - first),
            position: start + first * dilation,
            step: dilation
        )
    }

    /// The number of positions of a window that lie in the input or its padding.
    func paddedCount(_ output: Int) -> Int {
        min(kernel, max(0, length + end - 1 - (output * stride - begin)) / dilation + 1)
    }
}

/// A run of a window's positions: tap `first + i` reads `position + i * step`.
struct Taps {
    let first: Int
    let count: Int
    let position: Int
    let step: Int
}

/// The windows over up to three axes, the last of which is `x`.
struct Windows: Sendable {
    let rank: Int
    let z: WindowAxis
    let y: WindowAxis
    let x: WindowAxis

    /// The number of windows along each axis.
    var outputLengths: [Int] { Array([z, y, x].suffix(rank)).map(\.outputs) }
    var inputCount: Int { z.length * y.length * x.length }

    /// Calls the closure with every window's number and its positions within the input.
    @inline(__always)
    func forEach(_ body: (_ index: Int, _ place: (Int, Int, Int), Taps, Taps, Taps) -> Void) {
        var index = 0
        for i in 0..<z.outputs {
            let zTaps = z.taps(i)
            for j in 0..<y.outputs {
                let yTaps = y.taps(j)
                for k in 0..<x.outputs {
                    body(index, (i, j, k), zTaps, yTaps, x.taps(k))
                    index += 1
                }
            }
        }
    }
}
