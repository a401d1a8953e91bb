import Inference
import TensorCore

/// Makes the mask of a batch for an estimation graph: float32 `[B, 1, L]`.
struct SequenceMaskInput: Sendable {
    let signature: Signature?

    /// The mask that a batch gives as an input, else the one that its lengths say.
    ///
    /// - Parameter batch: A batch.
    /// - Returns: 1 at valid positions, 0 at padding.
    /// - Throws: ``FreezeError/missingLengths(origin:)`` if the batch tells neither.
    func mask(of batch: TrainingBatch) throws(FreezeError) -> Tensor {
        if let input = signature?.mask, let given = batch.inputs[input.name],
            let numbers = given.numbers, given.shape.rank >= 2
        {
            let count = given.shape[0]
            let length = given.shape[given.shape.rank - 1]
            if let shape = try? Shape(checking: [count, 1, length]), shape.elementCount == numbers.count,
                let mask = try? Tensor(numbers.map { Float($0) }, shape: shape)
            {
                return mask
            }
        }
        guard let lengths = lengths(of: batch) else { throw .missingLengths(origin: batch.origin) }
        let padded = max(paddedLength(of: batch) ?? 0, lengths.max() ?? 0)
        guard let shape = try? Shape(checking: [lengths.count, 1, padded]) else {
            throw .missingLengths(origin: batch.origin)
        }
        return Tensor(of: Float.self, shape: shape) { elements in
            for (row, length) in lengths.enumerated() {
                for step in 0..<padded { elements[row * padded + step] = step < length ? 1 : 0 }
            }
        }
    }

    /// The number of valid positions of a batch; nil if the batch does not tell.
    func positions(of batch: TrainingBatch) -> Int? {
        if let lengths = lengths(of: batch) { return lengths.reduce(0, +) }
        guard let mask = try? mask(of: batch) else { return nil }
        return mask.array(of: Float.self).count { $0 > 0 }
    }

    /// The number of sequences of a batch; nil if the batch does not tell.
    func sequences(of batch: TrainingBatch) -> Int? {
        if let lengths = lengths(of: batch) { return lengths.count }
        let counts = Set(batch.inputs.values.compactMap { $0.shape.rank > 0 ? $0.shape[0] : nil })
        return counts.count == 1 ? counts.first : nil
    }

    private func lengths(of batch: TrainingBatch) -> [Int]? {
        if let lengths = batch.lengths { return lengths.map { max(0, $0) } }
        guard let input = signature?.lengths, let numbers = batch.inputs[input.name]?.numbers else {
            return nil
        }
        return numbers.map { Int(min(max(0, $0), Double(Shape.maximumElementCount))) }
    }

    /// The length of the time axis that the sequences were padded to.
    private func paddedLength(of batch: TrainingBatch) -> Int? {
        guard let sequence = signature?.sequence, let tensor = batch.inputs[sequence.name] else { return nil }
        let axis: Int
        switch sequence.kind {
        case .tokens: axis = 1
        case .features(let layout, _): axis = layout == .channelsFirst ? 2 : 1
        }
        return axis < tensor.shape.rank ? tensor.shape[axis] : nil
    }
}
