import TensorCore

/// DFT: the discrete Fourier transform along an axis of `[..., 1]` (real) or `[..., 2]` (complex), computed in Double.
///
/// The signal is cut or filled with zeros to `dft_length`. With `onesided` the transform gives the first half of the
/// frequencies, and the inverse takes it and gives a real signal.
struct DFT: Operator {
    private let axis: Int?
    private let isInverse: Bool
    private let isOnesided: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...(reader.opset < 20 ? 2 : 3))
        axis = reader.opset < 20 ? try reader.int("axis", default: 1) : nil
        isInverse = try reader.flag("inverse", default: false)
        isOnesided = try reader.flag("onesided", default: false)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let rank = x.shape.rank
        guard rank >= 2 else { throw .unsupportedRank(rank, input: 0) }
        var axis = self.axis ?? -2
        if self.axis == nil, let given = inputs.optional(2) { axis = try given.integer(input: 2) }
        axis = try x.shape.axis(axis)
        guard axis < rank - 1 else { throw .shape(.axisOutOfRange(axis: axis, rank: rank - 1)) }
        guard x.shape[rank - 1] == 1 || x.shape[rank - 1] == 2 else {
            throw .shape(.dimensionMismatch(axis: rank - 1, expected: 2, actual: x.shape[rank - 1]))
        }
        let full = isInverse && isOnesided ? 2 * (x.shape[axis] - 1) : x.shape[axis]
        let length = try inputs.optional(1)?.integer(input: 1) ?? full
        guard (1..<WindowAttributes.limit).contains(length) else { throw .inputValue(input: 1) }
        let work = TransformWork(
            x: x,
            axis: axis,
            length: length,
            isInverse: isInverse,
            isOnesided: isOnesided,
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }
}

extension FourierTransform {
    /// A transform whose tables, of up to 24 numbers for each of the signal, are within what a tensor may have.
    fileprivate static func checked(
        _ length: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> FourierTransform {
        let shape = try Shape.checked([length, 24])
        let limit = inputs.limits.tensorBytes
        guard shape.elementCount <= limit / MemoryLayout<Double>.size else {
            throw .tensorTooLarge(shape: shape.dimensions, limitBytes: limit)
        }
        return FourierTransform(length: length)
    }
}

extension Tensor {
    /// The one value of an int64 or int32 tensor.
    func integer(input: Int) throws(OperatorError) -> Int {
        guard count == 1 else { throw .inputValue(input: input) }
        return try integers(input: input)[0]
    }
}

private struct TransformWork: RealWork {
    let x: Tensor
    let axis: Int
    let length: Int
    let isInverse: Bool
    let isOnesided: Bool
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let rank = x.shape.rank
        let components = x.shape[rank - 1]
        let given = x.shape[axis]
        let isHalf = isOnesided && !isInverse
        let count = isHalf ? length / 2 + 1 : length
        let parts = isOnesided && isInverse ? 1 : 2
        var dimensions = x.shape.dimensions
        dimensions[axis] = count
        dimensions[rank - 1] = parts
        let shape = try Shape.checked(dimensions)
        let inner = x.shape.elementCount(of: (axis + 1)..<(rank - 1))
        let outer = x.shape.elementCount(of: 0..<axis)
        let transform = try FourierTransform.checked(length, inputs)
        return .one(
            try inputs.makeTensor(of: T.self, shape) { y in
                guard shape.elementCount > 0 else { return }
                x.withPointer(to: T.self) { x in
                    var line = [FourierTransform.Complex](repeating: FourierTransform.zero, count: length)
                    for row in 0..<outer * inner {
                        let (before, behind) = (row / inner, row % inner)
                        for index in 0..<length {
                            line[index] = FourierTransform.zero
                            guard index < given else { continue }
                            let place = ((before * given + index) * inner + behind) * components
                            line[index].real = Double(x[place])
                            if components == 2 { line[index].imaginary = Double(x[place + 1]) }
                        }
                        if isInverse {
                            if isOnesided { mirror(&line) }
                            transform.invert(&line)
                        } else {
                            transform.apply(&line)
                        }
                        for index in 0..<count {
                            let place = ((before * count + index) * inner + behind) * parts
                            y[place] = T(line[index].real)
                            if parts == 2 { y[place + 1] = T(line[index].imaginary) }
                        }
                    }
                }
            }
        )
    }

    /// The frequencies behind the first half, which a real signal has from the others.
    private func mirror(_ line: inout [FourierTransform.Complex]) {
        line[0].imaginary = 0
        if length % 2 == 0 { line[length / 2].imaginary = 0 }
        for index in stride(from: length / 2 + 1, to: length, by: 1) {
            line[index] = line[length - index].conjugate
        }
    }
}

/// STFT: the Fourier transform of frames of `[B, L, 1]` (real) or `[B, L, 2]` (complex), each times a window.
///
/// Frames are `frame_step` apart; the result is `[B, frames, frequencies, 2]`. Frames that would reach behind the
/// signal are left out.
struct STFT: Operator {
    private let isOnesided: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...4)
        isOnesided = try reader.flag("onesided", default: true)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let components = x.shape[2]
        // Only a real signal has its second half of frequencies from the first.
        guard components == 1 || (components == 2 && !isOnesided) else {
            throw .shape(.dimensionMismatch(axis: 2, expected: 1, actual: components))
        }
        let step = try inputs[1].integer(input: 1)
        guard step > 0 else { throw .inputValue(input: 1) }
        let window = inputs.optional(2)
        if let window {
            guard window.elementType == x.elementType else {
                throw .elementTypesDiffer(x.elementType, window.elementType)
            }
            guard window.shape.rank == 1 else { throw .unsupportedRank(window.shape.rank, input: 2) }
        }
        let length = try inputs.optional(3)?.integer(input: 3) ?? window?.count ?? x.shape[1]
        guard length > 0, length <= x.shape[1] else { throw .inputValue(input: 3) }
        if let window, window.count != length {
            throw .shape(.elementCountMismatch(expected: length, actual: window.count))
        }
        let work = FrameWork(
            x: x,
            window: window,
            step: step,
            length: length,
            bins: isOnesided ? length / 2 + 1 : length,
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }
}

private struct FrameWork: RealWork {
    let x: Tensor
    let window: Tensor?
    let step: Int
    let length: Int
    let bins: Int
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let components = x.shape[2]
        let frames = 1 + (x.shape[1] - length) / step
        let shape = try Shape.checked([x.shape[0], frames, bins, 2])
        let weights = window.map { $0.array(of: T.self).map { Double($0) } }
        let transform = try FourierTransform.checked(length, inputs)
        return .one(
            try inputs.makeTensor(of: T.self, shape) { y in
                x.withPointer(to: T.self) { x in
                    var line = [FourierTransform.Complex](repeating: FourierTransform.zero, count: length)
                    for frame in 0..<shape[0] * frames {
                        let start = frame / frames * self.x.shape[1] + frame % frames * step
                        for index in 0..<length {
                            let place = (start + index) * components
                            let weight = weights?[index] ?? 1
                            line[index] = FourierTransform.Complex(
                                real: Double(x[place]) * weight,
                                imaginary: components == 2 ? Double(x[place + 1]) * weight : 0
                            )
                        }
                        transform.apply(&line)
                        for index in 0..<bins {
                            y[(frame * bins + index) * 2] = T(line[index].real)
                            y[(frame * bins + index) * 2 + 1] = T(line[index].imaginary)
                        }
                    }
                }
            }
        )
    }
}
