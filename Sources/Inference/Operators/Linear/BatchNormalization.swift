import Kernels
import TensorCore

/// BatchNormalization: each channel (axis 1) by a mean and a variance.
///
/// Evaluation: `y = scale * (x - mean) / sqrt(variance + epsilon) + bias` with the statistics given. Training mode
/// (opset 14 on): with the batch's own statistics, variance with divisor N, and the running statistics
/// `running * momentum + batch * (1 - momentum)` as further outputs. The statistics are of all positions; there is
/// no mask.
struct BatchNormalization: Operator {
    let epsilon: Float
    let momentum: Float
    let isTraining: Bool
    /// What constant statistics come to.
    private let prepared: ChannelAffine?

    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        guard prepared == nil, !isTraining, constants.count == 5 else { return nil }
        var parameters: [[Double]] = []
        for constant in constants.dropFirst() {
            guard let constant, constant.elementType == .float32, constant.count == constants[1]?.count else {
                return nil
            }
            parameters.append(constant.array(of: Float.self).map(Double.init))
        }
        return BatchNormalization(
            self,
            ChannelAffine(
                scale: parameters[0],
                bias: parameters[1],
                mean: parameters[2],
                variance: parameters[3],
                epsilon: epsilon
            )
        )
    }

    private init(_ normalization: BatchNormalization, _ prepared: ChannelAffine) {
        epsilon = normalization.epsilon
        momentum = normalization.momentum
        isTraining = normalization.isTraining
        self.prepared = prepared
    }

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(5...5)
        prepared = nil
        epsilon = try reader.float("epsilon", default: 1e-5)
        momentum = try reader.float("momentum", default: 0.9)
        if reader.opset >= 14 {
            isTraining = try reader.flag("training_mode", default: false)
            try reader.expectOutputs(isTraining ? 1...3 : 1...1)
        } else {
            if reader.opset < 9, try !reader.flag("spatial", default: true) {
                throw .attributeValue("spatial")
            }
            if reader.opset < 7, try !reader.flag("is_test", default: false) {
                throw .attributeValue("is_test")
            }
            try reader.expectOutputs(1...1)
            isTraining = false
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.elementType == .float32 || x.elementType == .float64 else {
            throw .unsupportedElementType(x.elementType, input: 0)
        }
        let channels = x.shape.rank > 1 ? x.shape[1] : 1
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        if let prepared, x.elementType == .float32 {
            guard prepared.scale.count == channels else {
                throw .shape(.elementCountMismatch(expected: channels, actual: prepared.scale.count))
            }
            return .one(try prepared.apply(x, inputs))
        }
        var parameters: [[Double]] = []
        for index in 1..<5 {
            let parameter = try inputs[index]
            guard parameter.elementType == .float32 || parameter.elementType == .float64 else {
                throw .unsupportedElementType(parameter.elementType, input: index)
            }
            guard parameter.count == channels else {
                throw .shape(.elementCountMismatch(expected: channels, actual: parameter.count))
            }
            let wide = try Cast.convert(parameter, to: .float64, inputs, input: index)
            parameters.append(wide.array(of: Double.self))
        }
        if x.elementType == .float64 { return try doubles(x, parameters, inputs) }
        guard isTraining else {
            let affine = ChannelAffine(
                scale: parameters[0],
                bias: parameters[1],
                mean: parameters[2],
                variance: parameters[3],
                epsilon: epsilon
            )
            return .one(try affine.apply(x, inputs))
        }
        let (mean, variance) = Self.statistics(of: Float.self, x, channels: channels)
        let affine = ChannelAffine(
            scale: parameters[0],
            bias: parameters[1],
            mean: mean,
            variance: variance,
            epsilon: epsilon
        )
        let keep = Double(momentum)
        var outputs = [try affine.apply(x, inputs)]
        for (running, batch) in [(parameters[2], mean), (parameters[3], variance)] {
            let updated = zip(running, batch).map { Float($0 * keep + $1 * (1 - keep)) }
            outputs.append(
                try shaped { () throws(ShapeError) in
                    try Tensor(updated, shape: Shape(checking: [channels]))
                }
            )
        }
        return .many(outputs)
    }

    /// The normalization of float64; running statistics have the type of those given.
    private func doubles(
        _ x: Tensor,
        _ parameters: [[Double]],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        let channels = parameters[0].count
        let length = x.shape.elementCount(of: min(2, x.shape.rank)..<x.shape.rank)
        let (mean, variance) =
            isTraining
            ? Self.statistics(of: Double.self, x, channels: channels) : (parameters[2], parameters[3])
        let factors = zip(parameters[0], variance).map { $0 / ($1 + Double(epsilon)).squareRoot() }
        let y = try inputs.makeTensor(of: Double.self, x.shape) { y in
            x.withElements(of: Double.self) { x in
                for index in x.indices {
                    let channel = index / length % channels
                    y[index] = (x[index] - mean[channel]) * factors[channel] + parameters[1][channel]
                }
            }
        }
        guard isTraining else { return .one(y) }
        var outputs = [y]
        let keep = Double(momentum)
        for (index, batch) in [(3, mean), (4, variance)] {
            let updated = zip(parameters[index - 1], batch).map { $0 * keep + $1 * (1 - keep) }
            let tensor = try shaped { () throws(ShapeError) in
                try Tensor(updated, shape: Shape(checking: [channels]))
            }
            outputs.append(try Cast.convert(tensor, to: inputs[index].elementType, inputs, input: index))
        }
        return .many(outputs)
    }

    /// Mean and variance of each channel over all other axes, in Double, by two passes.
    private static func statistics<T: RealNumber>(
        of type: T.Type,
        _ x: Tensor,
        channels: Int
    ) -> (mean: [Double], variance: [Double]) {
        let batch = x.shape[0]
        let length = x.shape.elementCount(of: min(2, x.shape.rank)..<x.shape.rank)
        let count = Double(batch * length)
        var mean = [Double](repeating: 0, count: channels)
        var variance = mean
        x.withPointer(to: T.self) { x in
            for channel in 0..<channels {
                var sum = 0.0
                for row in 0..<batch {
                    let start = (row * channels + channel) * length
                    for step in 0..<length { sum += Double(x[start + step]) }
                }
                mean[channel] = sum / count
                var squares = 0.0
                for row in 0..<batch {
                    let start = (row * channels + channel) * length
                    for step in 0..<length {
                        let difference = Double(x[start + step]) - mean[channel]
                        squares += difference * difference
                    }
                }
                variance[channel] = squares / count
            }
        }
        return (mean, variance)
    }
}

/// One factor and one addend a channel, computed in Double: what a batch normalization with known statistics is.
struct ChannelAffine: Sendable {
    let scale: [Float]
    let shift: [Float]
    /// Subtracted before, where the mean is so many deviations away from 0 that folding it into `shift` would cancel.
    let center: [Float]?

    /// The largest `mean * scale` that is folded into the shift.
    static let maximumFoldedShift = 1000.0

    init(scale: [Double], bias: [Double], mean: [Double], variance: [Double], epsilon: Float) {
        let factors = zip(scale, variance).map { $0 / ($1 + Double(epsilon)).squareRoot() }
        let cancels = zip(factors, mean).contains { ($0 * $1).magnitude > Self.maximumFoldedShift }
        self.scale = factors.map { Float($0) }
        center = cancels ? mean.map { Float(-$0) } : nil
        shift =
            cancels
            ? bias.map { Float($0) }
            : zip(zip(factors, mean), bias).map { Float($1 - $0.0 * $0.1) }
    }

    /// Rows of channels, which are the innermost axis.
    private func applyToRows(
        _ x: Tensor,
        rows: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let channels = scale.count
        return try inputs.makeTensor(of: Float.self, x.shape) { y in
            guard rows * channels > 0 else { return }
            x.withPointer(to: Float.self) { x in
                scale.withUnsafeBufferPointer { scale in
                    shift.withUnsafeBufferPointer { shift in
                        var source = x
                        center?.withUnsafeBufferPointer { center in
                            let epilogue = Epilogue(bias: center.baseAddress)
                            Affine.rows(epilogue, x, into: y, rows: rows, channels: channels)
                            source = UnsafePointer(y)
                        }
                        let epilogue = Epilogue(scale: scale.baseAddress, bias: shift.baseAddress)
                        Affine.rows(epilogue, source, into: y, rows: rows, channels: channels)
                    }
                }
            }
        }
    }

    func apply(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        let batch = x.shape[0]
        let channels = scale.count
        let length = x.shape.elementCount(of: min(2, x.shape.rank)..<x.shape.rank)
        if length == 1 { return try applyToRows(x, rows: batch, inputs) }
        return try inputs.makeTensor(of: Float.self, x.shape) { y in
            guard batch * channels * length > 0 else { return }
            x.withPointer(to: Float.self) { source in
                scale.withUnsafeBufferPointer { scale in
                    shift.withUnsafeBufferPointer { shift in
                        let epilogue = Epilogue(scale: scale.baseAddress, bias: shift.baseAddress)
                        guard let center else {
                            return Affine.channelsFirst(
                                epilogue,
                                source,
                                into: y,
                                batch: batch,
                                channels: channels,
                                length: length
                            )
                        }
                        center.withUnsafeBufferPointer {
                            Affine.channelsFirst(
                                Epilogue(bias: $0.baseAddress),
                                source,
                                into: y,
                                batch: batch,
                                channels: channels,
                                length: length
                            )
                        }
                        Affine.channelsFirst(
                            epilogue,
                            y,
                            into: y,
                            batch: batch,
                            channels: channels,
                            length: length
                        )
                    }
                }
            }
        }
    }
}

extension BatchNormalization: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        guard !isTraining else { throw NoRule("statistics of the batch") }
        let x = try inputs[0]
        guard x.rank >= 2 else { throw NoRule("no axis of channels") }
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        guard x.elementType == .float32, x.extents[0] == .integer(1) || x.timeAxis == 0,
            x.featureAxes.first == 1
        else {
            throw NoRule("the channels are not the first feature")
        }
        var operands: [PlanGraph.ValueID?] = [try packing.rows(0)]
        for index in 1..<5 {
            guard let constant = packing.known.constant(index) else {
                throw NoRule("the statistics are not constant")
            }
            operands.append(packing.constant(constant))
        }
        return [packing.emit(self, operands)]
    }
}
