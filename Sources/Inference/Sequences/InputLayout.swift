import Kernels
import TensorCore

/// Lays a batch's rows out as the inputs of a model.
struct InputLayout: Sendable {
    private let sequence: SequenceInput
    private let mask: MaskInput?
    private let lengths: LengthsInput?
    private let padID: Int64
    /// The inputs that the plan has; others are not made.
    private let planned: Set<String>

    init(_ signature: Signature, plan: ExecutionPlan) {
        self.init(signature, inputNames: plan.inputNames)
    }

    init(_ signature: Signature, inputNames: [String]) {
        sequence = signature.sequence
        mask = signature.mask
        lengths = signature.lengths
        padID = signature.padID ?? 0
        planned = Set(inputNames)
    }

    /// The inputs for a batch, padded on the right to its longest sequence.
    func inputs(_ batch: SequenceBatch) throws(ExecutionError) -> [String: Tensor] {
        guard batch.count > 0 else { throw .emptyBatch }
        let counts = batch.lengths
        if let index = counts.firstIndex(of: 0) { throw .emptySequence(index: index) }
        var inputs: [String: Tensor] = [:]
        do throws(ShapeError) {
            try add(batch, SequenceMask(lengths: counts), to: &inputs)
        } catch {
            throw .batch(error)
        }
        return inputs
    }

    private func add(
        _ batch: SequenceBatch,
        _ mask: SequenceMask,
        to inputs: inout [String: Tensor]
    ) throws(ShapeError) {
        if planned.contains(sequence.name) { inputs[sequence.name] = try values(batch, mask) }
        if let input = self.mask, planned.contains(input.name) {
            inputs[input.name] = try mask.tensor(elementType: input.elementType, rank: input.rank)
        }
        if let input = lengths, planned.contains(input.name) {
            let shape = try Shape(checking: [mask.lengths.count])
            inputs[input.name] =
                try input.elementType == .int32
                ? Tensor(mask.lengths.map { Int32(clamping: $0) }, shape: shape)
                : Tensor(mask.lengths.map { Int64($0) }, shape: shape)
        }
    }

    private func values(_ batch: SequenceBatch, _ mask: SequenceMask) throws(ShapeError) -> Tensor {
        switch sequence.kind {
        case .tokens: return try tokens(batch, mask)
        case .features(let layout, let channels):
            guard batch.rows.elementType == .float32 else {
                throw .elementTypeMismatch(expected: .float32, actual: batch.rows.elementType)
            }
            guard batch.rows.shape.rank == 2 else {
                throw .rankMismatch(expected: 2, actual: batch.rows.shape.rank)
            }
            guard batch.rows.shape[1] == channels else {
                throw .dimensionMismatch(axis: 1, expected: channels, actual: batch.rows.shape[1])
            }
            return layout == .channelsFirst
                ? try channelsFirst(batch, mask, channels) : try channelsLast(batch, mask, channels)
        }
    }

    private func tokens(_ batch: SequenceBatch, _ mask: SequenceMask) throws(ShapeError) -> Tensor {
        guard batch.rows.elementType == .int64 else {
            throw .elementTypeMismatch(expected: .int64, actual: batch.rows.elementType)
        }
        guard batch.rows.shape.rank == 1 else {
            throw .rankMismatch(expected: 1, actual: batch.rows.shape.rank)
        }
        let shape = try Shape(checking: [batch.count, mask.paddedLength])
        if batch.count == 1 { return try batch.rows.reshaped(to: shape) }
        var result = Tensor(repeating: padID, shape: shape)
        fill(&result, from: batch, rowElements: 1, of: Int64.self, padded: mask.paddedLength)
        return result
    }

    private func channelsLast(
        _ batch: SequenceBatch,
        _ mask: SequenceMask,
        _ channels: Int
    ) throws(ShapeError) -> Tensor {
        let shape = try Shape(checking: [batch.count, mask.paddedLength, channels])
        if batch.count == 1 { return try batch.rows.reshaped(to: shape) }
        var result = Tensor(repeating: Float(0), shape: shape)
        fill(&result, from: batch, rowElements: channels, of: Float.self, padded: mask.paddedLength)
        return result
    }

    private func fill<T: TensorElement>(
        _ result: inout Tensor,
        from batch: SequenceBatch,
        rowElements: Int,
        of type: T.Type,
        padded: Int
    ) {
        let offsets = batch.offsets
        batch.rows.withPointer(to: T.self) { source in
            result.withMutablePointer(to: T.self) { target in
                for index in 0..<batch.count {
                    (target + index * padded * rowElements).update(
                        from: source + offsets[index] * rowElements,
                        count: (offsets[index + 1] - offsets[index]) * rowElements
                    )
                }
            }
        }
    }

    private func channelsFirst(
        _ batch: SequenceBatch,
        _ mask: SequenceMask,
        _ channels: Int
    ) throws(ShapeError) -> Tensor {
        let padded = mask.paddedLength
        let shape = try Shape(checking: [batch.count, channels, padded])
        let offsets = batch.offsets
        return Tensor(of: Float.self, shape: shape) { target in
            batch.rows.withPointer(to: Float.self) { source in
                guard let target = target.baseAddress else { return }
                for index in 0..<batch.count {
                    let start = source + offsets[index] * channels
                    let block = target + index * channels * padded
                    let length = offsets[index + 1] - offsets[index]
                    if length == padded {
                        Transpose.matrix(start, into: block, rows: length, columns: channels)
                        continue
                    }
                    for channel in 0..<channels {
                        let row = block + channel * padded
                        for step in 0..<length { row[step] = start[step * channels + channel] }
                        (row + length).update(repeating: 0, count: padded - length)
                    }
                }
            }
        }
    }
}
