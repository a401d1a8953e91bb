import TensorCore

/// InstanceNormalization and GroupNormalization: channels of one sample, alone or in groups, by their own statistics.
///
/// `y = scale * (x - mean) / sqrt(variance + epsilon) + bias`, variance with divisor N, both computed in Double: a channel's positions are
/// added up in their order, then the channels of a group.
/// Scale and bias have one element a channel; before opset 21 those of GroupNormalization one a group.
struct GroupNormalization: Operator {
    /// nil: each channel is a group of its own.
    private let groups: Int?
    private let epsilon: Double

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...3)
        guard let groups = try reader.int("num_groups") else { throw .missingAttribute("num_groups") }
        guard groups > 0 else { throw .attributeValue("num_groups") }
        self.groups = groups
        epsilon = Double(try reader.float("epsilon", default: 1e-5))
        if reader.opset >= 21 { _ = try reader.int("stash_type") }
    }

    init(instance reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...3)
        groups = nil
        epsilon = Double(try reader.float("epsilon", default: 1e-5))
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank >= 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let (channels, length) = (x.shape[1], x.shape.elementCount(of: 2..<x.shape.rank))
        let size = channels * length
        let samples = (0..<x.shape[0]).map {
            GroupWork.Sample(start: $0 * size, length: length, channelStride: length, positionStride: 1)
        }
        return try normalized(x, channels: channels, samples, inputs)
    }

    /// Each sample's channels by their own statistics; scale and bias are inputs 1 and 2.
    fileprivate func normalized(
        _ x: Tensor,
        channels: Int,
        _ samples: [GroupWork.Sample],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> NodeOutputs {
        let groups = groups ?? channels
        guard groups == 0 || channels % groups == 0 else { throw .attributeValue("num_groups") }
        let work = GroupWork(
            x: x,
            samples: samples,
            channels: channels,
            groups: groups,
            scale: try parameter(1, channels: channels, groups: groups, x.elementType, inputs),
            bias: try parameter(2, channels: channels, groups: groups, x.elementType, inputs),
            epsilon: epsilon,
            inputs: inputs
        )
        return try work.run(for: x.elementType, input: 0)
    }

    /// One value a channel.
    fileprivate func parameter(
        _ index: Int,
        channels: Int,
        groups: Int,
        _ type: ElementType,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> [Double] {
        let parameter = try inputs.tensor(index, of: type)
        let values = try Cast.convert(parameter, to: .float64, inputs, input: index).array(of: Double.self)
        if values.count == channels { return values }
        guard values.count == groups else {
            throw .shape(.elementCountMismatch(expected: channels, actual: values.count))
        }
        return (0..<channels).map { values[$0 / (channels / groups)] }
    }
}

private struct GroupWork: RealWork {
    /// Where the channels of a sample stand.
    struct Sample {
        let start: Int
        /// The number of positions.
        let length: Int
        let channelStride: Int
        let positionStride: Int
    }

    let x: Tensor
    let samples: [Sample]
    let channels: Int
    let groups: Int
    let scale: [Double]
    let bias: [Double]
    let epsilon: Double
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                guard x.count > 0, groups > 0 else { return }
                x.withPointer(to: T.self) { x in
                    withUnsafeTemporaryAllocation(of: Double.self, capacity: 3 * channels) { scratch in
                        guard let scratch = scratch.baseAddress else { return }
                        for sample in samples {
                            normalize(x + sample.start, y + sample.start, sample, scratch)
                        }
                    }
                }
            }
        )
    }

    private func normalize<T: RealNumber>(
        _ x: UnsafePointer<T>,
        _ y: UnsafeMutablePointer<T>,
        _ sample: Sample,
        _ scratch: UnsafeMutablePointer<Double>
    ) {
        let (means, factors) = (scratch + channels, scratch + 2 * channels)
        addUp(sample, into: scratch) { place, _ in Double(x[place]) }
        spread(scratch, over: sample, into: means) { $0 }
        addUp(sample, into: scratch) { place, channel in
            let difference = Double(x[place]) - means[channel]
            return difference * difference
        }
        spread(scratch, over: sample, into: factors) { 1 / ($0 + epsilon).squareRoot() }
        forEach(sample) { place, channel in
            let value = (Double(x[place]) - means[channel]) * factors[channel]
            y[place] = T(value * scale[channel] + bias[channel])
        }
    }

    /// Calls the closure with every element; the positions of a channel in order.
    @inline(__always)
    private func forEach(_ sample: Sample, _ body: (_ place: Int, _ channel: Int) -> Void) {
        if sample.positionStride == 1 {
            for channel in 0..<channels {
                for position in 0..<sample.length { body(channel * sample.channelStride + position, channel) }
            }
        } else {
            for position in 0..<sample.length {
                for channel in 0..<channels {
                    body(position * sample.positionStride + channel * sample.channelStride, channel)
                }
            }
        }
    }

    /// The sum of a term over each channel's positions.
    @inline(__always)
    private func addUp(
        _ sample: Sample,
        into sums: UnsafeMutablePointer<Double>,
        _ term: (_ place: Int, _ channel: Int) -> Double
    ) {
        sums.update(repeating: 0, count: channels)
        forEach(sample) { place, channel in sums[channel] += term(place, channel) }
    }

    /// What the mean of each group makes for all its channels.
    private func spread(
        _ sums: UnsafeMutablePointer<Double>,
        over sample: Sample,
        into results: UnsafeMutablePointer<Double>,
        _ result: (Double) -> Double
    ) {
        let width = channels / groups
        for group in 0..<groups {
            var sum = 0.0
            for channel in group * width..<(group + 1) * width { sum += sums[channel] }
            let value = result(sum / Double(width * sample.length))
            for channel in group * width..<(group + 1) * width { results[channel] = value }
        }
    }
}

extension GroupNormalization: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        guard x.rank >= 2, let channels = x.constant(1), let scale = packing.known.constant(1),
            let bias = packing.known.constant(2)
        else { throw NoRule("a parameter is not constant") }
        let parameters: [PlanGraph.ValueID?] = [packing.constant(scale), packing.constant(bias)]
        guard let time = x.time, let axis = x.timeAxis else {
            return try packing.perSequence(self, [packing.sample(0)] + parameters)
        }
        guard axis >= 2, x.featureAxes.allSatisfy({ $0 == 1 }) else {
            throw NoRule("positions have axes of their own besides the channels")
        }
        let segments = SegmentGroupNormalization(normalization: self, channels: channels)
        return [packing.emit(segments, [try packing.rows(0)] + parameters + [packing.offsets(time)])]
    }
}

/// The channels of every sequence, `[R, C]`, alone or in groups, by the statistics of its own positions.
///
/// Inputs: the rows, scale, bias, and the offsets of the sequences.
private struct SegmentGroupNormalization: Operator {
    let normalization: GroupNormalization
    let channels: Int

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank > 0, x.count == x.shape[0] * channels else {
            throw .shape(.elementCountMismatch(expected: channels, actual: x.count))
        }
        let segments = try Segments(inputs[3], rows: x.shape[0])
        let samples = (0..<segments.count).map {
            GroupWork.Sample(
                start: segments[$0].lowerBound * channels,
                length: segments[$0].count,
                channelStride: 1,
                positionStride: channels
            )
        }
        return try normalization.normalized(x, channels: channels, samples, inputs)
    }
}
