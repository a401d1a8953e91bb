import Inference
import ONNXGraph
import TensorCore
import Verifying

/// Compares what sequences get alone with what they get in a padded batch.
struct AloneProof {
    /// The largest relative difference allowed between two ways to compute the same.
    static let tolerance = 1e-3
    /// How many sequences of a batch are looked at.
    static let sequenceLimit = 8

    let model: Model
    let signature: Signature?

    func proof(_ batches: [TrainingBatch]) -> Proof {
        guard let batch = batches.first else { return skipped("no batch was given") }
        guard let signature else { return skipped("the meaning of the inputs is not known") }
        guard signature.mask != nil || signature.lengths != nil else {
            return skipped("the model takes no mask, so that padding is not told from data")
        }
        guard let sequences = PaddedSequences(batch, signature).sequences(limit: Self.sequenceLimit) else {
            return skipped("the lengths of the sequences are not known")
        }
        let served: SequenceModel
        do throws(PlanError) {
            served = try SequenceModel(model: model)
        } catch {
            return skipped("the model cannot be served: \(error)")
        }
        do {
            let request = OutputRequest.outputs(served.predictOutputs)
            let alone = try served.executor(for: request, batching: .ragged).run(sequences)
            let together = try served.executor(for: request, batching: .padded).run(sequences)
            var difference = Difference()
            for (a, b) in zip(alone, together) { difference.add(a.rows, b.rows) }
            let holds = difference.largest <= Self.tolerance
            return Proof(
                .aloneEqualsBatch,
                holds ? .held : .failed("padding changes the answers: the model does not mask all it should"),
                checked: sequences.count,
                largestDifference: difference.largest,
                tolerance: Self.tolerance
            )
        } catch {
            return skipped("the model cannot be run: \(error)")
        }
    }

    private func skipped(_ reason: String) -> Proof { Proof(.aloneEqualsBatch, .notApplicable(reason)) }
}

/// Takes the sequences out of a padded batch again.
struct PaddedSequences {
    private let batch: TrainingBatch
    private let signature: Signature

    init(_ batch: TrainingBatch, _ signature: Signature) {
        self.batch = batch
        self.signature = signature
    }

    /// The first sequences that are not empty; nil if the lengths are not known, or padding is not on the right.
    func sequences(limit: Int) -> SequenceBatch? {
        guard let mask = try? SequenceMaskInput(signature: signature).mask(of: batch),
            let tensor = batch.inputs[signature.sequence.name], tensor.shape.rank >= 2,
            tensor.shape[0] == mask.shape[0]
        else { return nil }
        let flags = mask.array(of: Float.self)
        let padded = mask.shape[2]
        var rows: [SequenceBatch] = []
        for index in 0..<tensor.shape[0] where rows.count < limit {
            let row = flags[index * padded..<(index + 1) * padded]
            let length = row.count { $0 > 0 }
            guard row.prefix(length).allSatisfy({ $0 > 0 }) else { return nil }
            guard length > 0 else { continue }
            guard let sequence = rowsOfSequence(tensor.element(at: index), length: length),
                let one = try? SequenceBatch(rows: sequence, lengths: [length])
            else { return nil }
            rows.append(one)
        }
        guard !rows.isEmpty else { return nil }
        return try? SequenceBatch.concatenating(rows)
    }

    private func rowsOfSequence(_ tensor: Tensor, length: Int) -> Tensor? {
        switch signature.sequence.kind {
        case .tokens:
            return length <= tensor.shape[0] ? tensor.slice(0..<length) : nil
        case .features(.channelsLast, _):
            return length <= tensor.shape[0] ? tensor.slice(0..<length) : nil
        case .features(.channelsFirst, let channels):
            guard tensor.shape.rank == 2, tensor.elementType == .float32, tensor.shape[0] == channels,
                length <= tensor.shape[1], let shape = try? Shape(checking: [length, channels])
            else { return nil }
            let source = tensor.array(of: Float.self)
            let padded = tensor.shape[1]
            return Tensor(of: Float.self, shape: shape) { target in
                for step in 0..<length {
                    for channel in 0..<channels {
                        target[step * channels + channel] = source[channel * padded + step]
                    }
                }
            }
        }
    }
}
