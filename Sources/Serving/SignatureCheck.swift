import Inference
import TensorCore

/// Whether sequences are what a model takes; the first rule that is broken, sequence by sequence.
struct SignatureCheck {
    let signature: Signature
    /// The most positions of one sequence.
    let maxPositions: Int
    /// The lengths that the model takes; nil for all.
    var lengthLimit: LengthLimit?

    /// Checks a batch.
    ///
    /// - Throws: ``ServingError/invalidInput(index:reason:)`` with the index of the first sequence at fault.
    /// - Complexity: O(R*C), one pass over the values.
    func check(_ batch: SequenceBatch) throws(ServingError) {
        guard batch.count > 0 else { throw .invalidInput(index: nil, reason: .noSequences) }
        try checkKind(batch)
        for index in 0..<batch.count {
            let length = batch.offsets[index + 1] - batch.offsets[index]
            guard length > 0 else { throw .invalidInput(index: index, reason: .emptySequence) }
            guard length <= maxPositions else {
                throw .invalidInput(index: index, reason: .tooLong(positions: length, limit: maxPositions))
            }
            if let lengthLimit, !lengthLimit.allows(length) {
                throw .invalidInput(
                    index: index,
                    reason: .lengthNotServed(positions: length, limit: lengthLimit)
                )
            }
        }
        switch signature.sequence.kind {
        case .features: try checkFinite(batch)
        case .tokens: try checkTokens(batch)
        }
    }

    private func checkKind(_ batch: SequenceBatch) throws(ServingError) {
        let rows = batch.rows
        switch signature.sequence.kind {
        case .features(_, let channels):
            guard rows.elementType == .float32, rows.shape.rank == 2 else {
                throw .invalidInput(index: nil, reason: .featuresExpected(channels: channels))
            }
            guard rows.shape[1] == channels else {
                throw .invalidInput(
                    index: nil,
                    reason: .wrongChannels(expected: channels, actual: rows.shape[1])
                )
            }
        case .tokens:
            guard rows.elementType == .int64, rows.shape.rank == 1 else {
                throw .invalidInput(index: nil, reason: .tokensExpected)
            }
        }
    }

    private func checkFinite(_ batch: SequenceBatch) throws(ServingError) {
        let fault = batch.rows.withElements(of: Float.self) { values -> Int? in
            // x * 0 is 0 for a finite x and NaN for any other, so one sum tells whether there is a search to do.
            var sum: Float = 0
            for value in values { sum += value * 0 }
            return sum.isNaN ? values.firstIndex { !$0.isFinite } : nil
        }
        guard let fault else { return }
        let channels = batch.rows.shape[1]
        let (index, position) = place(ofRow: fault / channels, in: batch)
        throw .invalidInput(
            index: index,
            reason: .notFinite(position: position, channel: fault % channels)
        )
    }

    private func checkTokens(_ batch: SequenceBatch) throws(ServingError) {
        let limit = signature.tokenLimit
        let fault = batch.rows.withElements(of: Int64.self) { tokens in
            if let limit { tokens.firstIndex { $0 < 0 || $0 >= limit } } else { tokens.firstIndex { $0 < 0 } }
        }
        guard let fault else { return }
        let (index, position) = place(ofRow: fault, in: batch)
        let reason = limit.map { InputFault.tokenOutOfRange(position: position, limit: $0) }
        throw .invalidInput(index: index, reason: reason ?? .negativeToken(position: position))
    }

    /// The sequence a row belongs to, and the row's position in it.
    private func place(ofRow row: Int, in batch: SequenceBatch) -> (index: Int, position: Int) {
        let index = (batch.offsets.firstIndex { $0 > row } ?? batch.offsets.count) - 1
        return (index, row - batch.offsets[index])
    }
}
