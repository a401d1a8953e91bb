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
        var axes: [WindowAxis] = []
        for axis in 0..<rank {
            axes.append(try window(axis, of: rank, length: lengths[axis], kernel: kernel))
        }
        let single = WindowAxis(length: 1, kernel: 1, stride: 1, dilation: 1, extent: 1, outputs: 1)
        axes = [WindowAxis](repeating: single, count: 3 - rank) + axes
        return Windows(rank: rank, z: axes[0], y: axes[1], x: axes[2])
    }

    /// The windows along one of several axes.
    ///
    /// - Parameters:
    ///   - axis: The axis, in `0 ..< rank`.
    ///   - rank: The number of spatial axes.
    ///   - length: How long the axis is.
    ///   - kernel: The window's extent in each axis.
    /// - Returns: The windows.
    /// - Throws: The attribute that does not fit the number of axes, or that the axis is shorter than a window.
    func window(_ axis: Int, of rank: Int, length: Int, kernel: [Int]) throws(OperatorError) -> WindowAxis {
        try place(
            axis,
            of: rank,
            length: length,
            try unplaced(axis, of: rank, length: length, kernel: kernel)
        )
    }

    /// The windows along an axis without their padding.
    private func unplaced(
        _ axis: Int,
        of rank: Int,
        length: Int,
        kernel: [Int]
    ) throws(OperatorError) -> WindowAxis {
        if let written = self.kernel, written != kernel { throw .attributeValue("kernel_shape") }
        guard kernel.count == rank, kernel.allSatisfy({ (1..<Self.limit).contains($0) }) else {
            throw .attributeValue("kernel_shape")
        }
        if case .given(let pads?) = padding, pads.count != 2 * rank { throw .attributeValue("pads") }
        let stride = try values(strides, "strides", rank)[axis]
        let dilation = try values(dilations, "dilations", rank)[axis]
        return WindowAxis(
            length: length,
            kernel: kernel[axis],
            stride: stride,
            dilation: dilation,
            extent: (kernel[axis] - 1) * dilation + 1
        )
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

extension WindowAttributes {
    /// How many windows there are along one of several axes whose length may depend on the sequence's.
    ///
    /// Where an axis is too short for a window, evaluating fails, or the number is below 1.
    func outputs(_ axis: Int, of rank: Int, length: Number, kernel: [Int]) throws(NoRule) -> Number {
        let function: LengthFunction
        switch length {
        case .integer(let length):
            guard let window = try? window(axis, of: rank, length: length, kernel: kernel) else {
                throw NoRule("the windows do not fit")
            }
            return .integer(window.outputs)
        case .length(let length): function = length
        }
        guard let window = try? unplaced(axis, of: rank, length: 1, kernel: kernel) else {
            throw NoRule("the windows do not fit")
        }
        let stride = window.stride
        let outputs: LengthFunction?
        if case .given(let pads) = padding {
            let (begin, end) = (pads?[axis] ?? 0, pads?[rank + axis] ?? 0)
            let lacking = window.extent - end
            if !roundsUp || lacking <= 1 {
                outputs = function.adding(begin - lacking)?.divided(by: stride)?.adding(1)
            } else if lacking >= stride {
                outputs = function.adding(begin - lacking + stride - 1)?.divided(by: stride)?.adding(1)
            } else {
                // One more window than fits, unless it would start behind the input and its begin.
                outputs = function.adding(begin + stride - 1)?.divided(by: stride)
            }
        } else {
            outputs = function.adding(stride - 1)?.divided(by: stride)
        }
        guard let outputs else { throw NoRule("the number of windows cannot be written") }
        return .length(outputs)
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
