import Kernels
import TensorCore

/// Conv over one axis: `[B, C, L]` with weights `[N, C / group, kernel]` and a bias `[N]`.
///
/// Convolutions over more axes are refused. Constant weights are packed once.
struct Conv: Operator {
    enum Padding: Sendable, Equatable {
        case given(begin: Int, end: Int)
        case sameUpper, sameLower
    }

    private let kernelShape: [Int]?
    private let stride: Int
    private let dilation: Int
    private let groups: Int
    private let padding: Padding
    private let prepared: PackedConvolution1D?
    private let bias: Tensor?
    let activation: UnaryOperation

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...3)
        kernelShape = try reader.ints("kernel_shape")
        stride = try Self.single("strides", &reader) ?? 1
        dilation = try Self.single("dilations", &reader) ?? 1
        groups = try reader.int("group", default: 1)
        let pads = try reader.ints("pads")
        switch try reader.string("auto_pad") ?? "NOTSET" {
        case "NOTSET":
            guard let pads else {
                padding = .given(begin: 0, end: 0)
                break
            }
            guard pads.count == 2 else { throw .attributeValue("pads") }
            padding = .given(begin: pads[0], end: pads[1])
        case "VALID": padding = .given(begin: 0, end: 0)
        case "SAME_UPPER": padding = .sameUpper
        case "SAME_LOWER": padding = .sameLower
        default: throw .attributeValue("auto_pad")
        }
        prepared = nil
        bias = nil
        activation = .identity
    }

    private static func single(_ name: String, _ reader: inout AttributeReader) throws(OperatorError) -> Int?
    {
        guard let values = try reader.ints(name) else { return nil }
        guard values.count == 1 else { throw .attributeValue(name) }
        return values[0]
    }

    private init(_ conv: Conv, prepared: PackedConvolution1D?, bias: Tensor?, activation: UnaryOperation) {
        kernelShape = conv.kernelShape
        stride = conv.stride
        dilation = conv.dilation
        groups = conv.groups
        padding = conv.padding
        self.prepared = prepared
        self.bias = bias
        self.activation = activation
    }

    /// The same convolution, followed by an activation.
    func activated(by activation: UnaryOperation) -> Conv {
        Conv(self, prepared: prepared, bias: bias, activation: activation)
    }

    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        guard prepared == nil, constants.count >= 2, let weights = constants[1],
            constants.count < 3 || constants[2] != nil, stride == 1 || isPaddingFixed,
            weights.shape.rank == 3
        else { return nil }
        let bias = constants.count > 2 ? constants[2] : nil
        guard
            let geometry = try? geometry(
                weights,
                channels: weights.shape[1].multiplied(by: groups),
                length: 1
            ),
            (try? check(bias, geometry)) != nil,
            let packed = weights.withPointer(
                to: Float.self,
                { try? PackedConvolution1D(geometry, weights: $0) }
            )
        else { return nil }
        return Conv(self, prepared: packed, bias: bias, activation: activation)
    }

    private var isPaddingFixed: Bool {
        guard case .given = padding else { return false }
        return true
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let length = x.shape[2]
        let convolution: PackedConvolution1D
        var bias = self.bias
        if let prepared {
            convolution = prepared
        } else {
            let weights = try inputs.float32(1)
            let geometry = try geometry(weights, channels: x.shape[1], length: length)
            if inputs.optional(2) != nil { bias = try inputs.float32(2) }
            try check(bias, geometry)
            convolution = try shaped { () throws(ShapeError) in
                try weights.withPointer(to: Float.self) { (weights) throws(ShapeError) in
                    try PackedConvolution1D(geometry, weights: weights)
                }
            }
        }
        let geometry = convolution.geometry
        guard x.shape[1] == geometry.inputChannels else {
            throw .shape(
                .dimensionMismatch(axis: 1, expected: geometry.inputChannels, actual: x.shape[1])
            )
        }
        let outputLength = geometry.outputLength(length)
        let shape = try Shape.checked([x.shape[0], geometry.outputChannels, outputLength])
        return .one(
            try inputs.makeTensor(of: Float.self, shape) { y in
                x.withPointer(to: Float.self) { source in
                    guard let bias else {
                        convolution.channelsFirst(
                            source,
                            batch: x.shape[0],
                            length: length,
                            into: y,
                            epilogue: Epilogue(activation: activation)
                        )
                        return
                    }
                    bias.withPointer(to: Float.self) { bias in
                        convolution.channelsFirst(
                            source,
                            batch: x.shape[0],
                            length: length,
                            into: y,
                            epilogue: Epilogue(bias: bias, activation: activation)
                        )
                    }
                }
            }
        )
    }

    private func geometry(
        _ weights: Tensor,
        channels: Int?,
        length: Int
    ) throws(OperatorError) -> Convolution1D {
        guard weights.elementType == .float32 else {
            throw .unsupportedElementType(weights.elementType, input: 1)
        }
        guard weights.shape.rank == 3 else { throw .unsupportedRank(weights.shape.rank, input: 1) }
        let kernel = weights.shape[2]
        if let kernelShape, kernelShape != [kernel] { throw .attributeValue("kernel_shape") }
        let pads = try pads(kernel: kernel, length: length)
        guard let channels,
            let geometry = Convolution1D(
                inputChannels: channels,
                outputChannels: weights.shape[0],
                kernel: kernel,
                stride: stride,
                dilation: dilation,
                groups: groups,
                padBegin: pads.begin,
                padEnd: pads.end
            )
        else { throw .attributeValue("strides, dilations, group or pads") }
        guard geometry.weightCount == weights.count else {
            throw .shape(.elementCountMismatch(expected: geometry.weightCount, actual: weights.count))
        }
        return geometry
    }

    /// The zeros before and after; for SAME so many that the result has `ceil(length / stride)` positions.
    private func pads(kernel: Int, length: Int) throws(OperatorError) -> (begin: Int, end: Int) {
        if case .given(let begin, let end) = padding { return (begin, end) }
        let limit = 1 << 31
        guard (1..<limit).contains(kernel), (1..<limit).contains(stride), (1..<limit).contains(dilation)
        else {
            throw .attributeValue("strides or dilations")
        }
        let outputs = (length + stride - 1) / stride
        let total = max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - length)
        let small = total / 2
        return padding == .sameUpper ? (small, total - small) : (total - small, small)
    }

    private func check(_ bias: Tensor?, _ geometry: Convolution1D) throws(OperatorError) {
        guard let bias else { return }
        guard bias.elementType == .float32 else { throw .unsupportedElementType(bias.elementType, input: 2) }
        guard bias.count == geometry.outputChannels else {
            throw .shape(.elementCountMismatch(expected: geometry.outputChannels, actual: bias.count))
        }
    }
}

extension Int {
    /// The product, or nil if it does not fit.
    fileprivate func multiplied(by other: Int) -> Int? {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? nil : product
    }
}
