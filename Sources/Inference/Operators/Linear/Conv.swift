import Kernels
import TensorCore

/// Conv: `[B, C, ...]` with weights `[N, C / group, ...]` and a bias `[N]`, over one to three axes.
///
/// One axis, `[B, C, L]`, has kernels of its own, for which constant weights are packed once.
struct Conv: Operator {
    private let attributes: WindowAttributes
    private let groups: Int
    let prepared: PackedConvolution1D?
    private let bias: Tensor?
    let activation: UnaryOperation

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...3)
        attributes = try WindowAttributes(&reader)
        groups = try reader.int("group", default: 1)
        prepared = nil
        bias = nil
        activation = .identity
    }

    private init(_ conv: Conv, prepared: PackedConvolution1D?, bias: Tensor?, activation: UnaryOperation) {
        attributes = conv.attributes
        groups = conv.groups
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
            constants.count < 3 || constants[2] != nil, attributes.strides ?? [1] == [1] || isPaddingFixed,
            weights.shape.rank == 3
        else { return nil }
        let bias = constants.count > 2 ? constants[2] : nil
        guard
            let geometry = try? geometry(
                weights,
                channels: weights.shape[1].multiplied(by: groups),
                length: Self.anyLength
            ),
            (try? check(bias, geometry)) != nil,
            let packed = weights.withPointer(
                to: Float.self,
                { try? PackedConvolution1D(geometry, weights: $0) }
            )
        else { return nil }
        return Conv(self, prepared: packed, bias: bias, activation: activation)
    }

    func narrowed() -> (any Operator)? {
        guard let narrow = try? prepared?.narrowed() else { return nil }
        return Conv(self, prepared: narrow, bias: bias, activation: activation)
    }

    var isFiltered: Bool { prepared?.isFiltered ?? false }

    func filtered() -> (any Operator)? {
        guard !isFiltered, let filtered = try? prepared?.filtered(), filtered.isFiltered else { return nil }
        return Conv(self, prepared: filtered, bias: bias, activation: activation)
    }

    /// For the geometry where no length is known: of no positions no window is too long.
    private static let anyLength = 0

    private var isPaddingFixed: Bool {
        guard case .given = attributes.padding else { return false }
        return true
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        switch x.elementType {
        case .float32 where x.shape.rank == 3: break
        case .float32: return .one(try spatial(of: Float.self, x, inputs))
        case .float64: return .one(try spatial(of: Double.self, x, inputs))
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
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
        guard outputLength > 0 || length == 0 else {
            throw .windowTooLong(
                extent: geometry.dilation * (geometry.kernel - 1) + 1,
                length: length + geometry.padBegin + geometry.padEnd
            )
        }
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

    /// The convolution over other than one axis, or in float64.
    private func spatial<T: RealNumber>(
        of type: T.Type,
        _ x: Tensor,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let weights = try inputs.tensor(1, of: T.elementType)
        let convolution = try SpatialConvolution(
            attributes,
            groups: groups,
            x: x.shape,
            weights: weights.shape
        )
        var y = try convolution.apply(of: T.self, x, weights, inputs)
        if inputs.optional(2) != nil {
            let bias = try inputs.tensor(2, of: T.elementType)
            guard bias.count == weights.shape[0] else {
                throw .shape(.elementCountMismatch(expected: weights.shape[0], actual: bias.count))
            }
            let ones = [Int](repeating: 1, count: x.shape.rank - 2)
            let addend = try bias.viewed(as: Shape.checked([bias.count] + ones))
            y = try Arithmetic.combine(.add, y, addend, inputs, mayWrite: (true, false))
        }
        guard activation != .identity else { return y }
        guard y.elementType == .float32 else {
            return try TypedMap.unary(y, inputs) { (x: Double) in activation.double(x) }
        }
        let count = y.count
        y.withMutablePointer(to: Float.self) { Elementwise.apply(activation, to: $0, into: $0, count: count) }
        return y
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
        let window = try attributes.windows(over: [length], kernel: [kernel]).x
        guard let channels,
            let geometry = Convolution1D(
                inputChannels: channels,
                outputChannels: weights.shape[0],
                kernel: kernel,
                stride: window.stride,
                dilation: window.dilation,
                groups: groups,
                padBegin: window.begin,
                padEnd: window.end
            )
        else { throw .attributeValue("strides, dilations, group or pads") }
        guard geometry.weightCount == weights.count else {
            throw .shape(.elementCountMismatch(expected: geometry.weightCount, actual: weights.count))
        }
        return geometry
    }

    private func check(_ bias: Tensor?, _ geometry: Convolution1D) throws(OperatorError) {
        guard let bias else { return }
        guard bias.elementType == .float32 else { throw .unsupportedElementType(bias.elementType, input: 2) }
        guard bias.count == geometry.outputChannels else {
            throw .shape(.elementCountMismatch(expected: geometry.outputChannels, actual: bias.count))
        }
    }
}

extension Conv: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        guard x.elementType == .float32, x.rank == 3, let channels = x.constant(1),
            attributes.strides ?? [1] == [1] || isPaddingFixed
        else {
            throw NoRule("only one axis with known padding is packed")
        }
        let found: Convolution1D?
        if let prepared {
            found = prepared.geometry
        } else if let weights = inputs.constant(1) {
            found = try? geometry(weights, channels: channels, length: Self.anyLength)
        } else {
            found = nil
        }
        guard let geometry = found, geometry.inputChannels == channels else {
            throw NoRule("the weights are not constant")
        }
        return [
            try inputs.made(
                .float32,
                [x.extents[0], .integer(geometry.outputChannels), geometry.output(x.extents[2])]
            )
        ]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        guard x.extents[0] == .integer(1), let time = x.time, x.timeAxis == 2,
            let result = packing.outputs[0].time, let prepared
        else { throw NoRule("the last axis is not time, or the weights are not constant") }
        let rows = packing.emit(
            SegmentConvolution(convolution: prepared, bias: bias, activation: activation),
            [try packing.rows(0), packing.offsets(time), packing.offsets(result)]
        )
        return try packing.finished(rows, features: [prepared.geometry.outputChannels])
    }
}

extension Convolution1D {
    /// How long the output is for an input of some length.
    fileprivate func output(_ length: Number) throws(NoRule) -> Number {
        switch length {
        case .integer(let length): return .integer(outputLength(length))
        case .length(let function):
            let span = padBegin + padEnd - dilation * (kernel - 1) - 1
            guard let result = function.adding(span)?.divided(by: stride)?.adding(1) else {
                throw NoRule("the length of the output cannot be written")
            }
            return .length(result)
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
