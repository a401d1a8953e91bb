import ONNXGraph
import TensorCore

/// Finds what a position of the sequences is: a token, or a row of so many features, and in which layout.
struct SequenceKindInference {
    let input: DeclaredValue
    let mask: DeclaredValue?
    let usage: InputUsage
    let statement: SignatureStatements.Sequence?

    /// The kind, and the axis of the input that is time.
    func infer() throws(SignatureError) -> (kind: SequenceInput.Kind, timeAxis: Int) {
        try InputInference.checkBatch(input)
        if input.rank == 2 {
            guard input.isInteger, statement?.kind != .features else {
                throw .unsupportedRank(input: input.name, axes: input.axisNames)
            }
            guard input.elementType == .int64 else {
                throw .unsupportedElementType(input: input.name, meaning: "tokens: int64")
            }
            if let length = input.length(1) { throw .fixedLength(input: input.name, length: length) }
            return (.tokens, 1)
        }
        guard input.rank == 3, statement?.kind != .tokens else {
            throw .unsupportedRank(input: input.name, axes: input.axisNames)
        }
        guard input.elementType == .float32 else {
            throw .unsupportedElementType(input: input.name, meaning: "features: float32")
        }
        let channelAxis = try channelAxis()
        let timeAxis = 3 - channelAxis
        if let length = input.length(timeAxis) { throw .fixedLength(input: input.name, length: length) }
        let layout: SequenceInput.Layout = channelAxis == 1 ? .channelsFirst : .channelsLast
        return (.features(layout: layout, channels: try channels(on: channelAxis)), timeAxis)
    }

    private func channelAxis() throws(SignatureError) -> Int {
        if let layout = statement?.layout { return layout == .channelsFirst ? 1 : 2 }
        switch (input.isDynamic(1), input.isDynamic(2)) {
        case (false, true): return 1
        case (true, false): return 2
        default: break
        }
        if let axis = usage.channelAxis, axis == 1 || axis == 2 { return axis }
        if let axis = usage.timeAxis, axis == 1 || axis == 2 { return 3 - axis }
        if let mask, let time = mask.symbol(mask.rank - 1), input.symbol(1) != input.symbol(2) {
            if input.symbol(1) == time { return 2 }
            if input.symbol(2) == time { return 1 }
        }
        throw .unknownLayout(input: input.name, axes: input.axisNames)
    }

    private func channels(on axis: Int) throws(SignatureError) -> Int {
        let used = usage.channelAxis == axis ? usage.channels : nil
        let channels = input.length(axis) ?? statement?.channels ?? used
        guard let channels, channels > 0, channels <= Shape.maximumElementCount else {
            throw .unknownChannels(input: input.name)
        }
        return channels
    }
}
