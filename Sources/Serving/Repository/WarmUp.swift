import Inference
import ONNXGraph
import TensorCore

/// Tries a model on made-up sequences, so that plans are made and memory is touched before the first request.
struct WarmUp {
    let model: SequenceModel
    /// The way of batching to try.
    let batching: Batching
    /// Lengths to try, each at least 1.
    let lengths: [Int]

    /// Runs the model's predictions and its normalized features.
    ///
    /// - Throws: ``ServingError/executionFailed(reason:)`` if predictions cannot be planned, or if no length at
    ///   all can be run. A model may refuse some lengths, such as those shorter than its kernels.
    func run() throws(ServingError) {
        try run(.outputs(model.predictOutputs))
        // A model without a normalization layer is no worse for it.
        try? run(.layer(nil))
    }

    private func run(_ request: OutputRequest) throws(ServingError) {
        let executor = try model.plannedExecutor(for: request, batching: batching).get()
        var failure: ExecutionError?
        var accepted: [Int] = []
        for length in probeLengths {
            guard let batch = probe([length]) else { continue }
            do throws(ExecutionError) {
                _ = try executor.run(batch)
                accepted.append(length)
            } catch {
                failure = error
            }
        }
        if let failure, accepted.isEmpty {
            throw .executionFailed(
                reason: "no sequence of a length in \(probeLengths) can be run: \(failure)"
            )
        }
        guard accepted.count > 1, let batch = probe(accepted) else { return }
        do throws(ExecutionError) {
            _ = try executor.run(batch)
        } catch {
            throw .executionFailed(reason: "sequences of lengths \(accepted) in one batch: \(error)")
        }
    }

    /// The one length a model is made for, or else those asked for.
    private var probeLengths: [Int] {
        let input = model.model.graph.inputs.first { $0.name == model.signature.sequence.name }
        let axis =
            switch model.signature.sequence.kind {
            case .features(.channelsFirst, _): 2
            default: 1
            }
        guard let dimensions = input?.dimensions, axis < dimensions.count,
            case .fixed(let length) = dimensions[axis], length > 0
        else { return lengths.filter { $0 > 0 } }
        return [length]
    }

    /// Sequences of the given lengths; nil if they would be too large.
    private func probe(_ lengths: [Int]) -> SequenceBatch? {
        let rows = lengths.reduce(0, +)
        switch model.signature.sequence.kind {
        case .features(_, let channels):
            guard let shape = try? Shape(checking: [rows, channels]) else { return nil }
            let values = Tensor(of: Float.self, shape: shape) { elements in
                for index in elements.indices { elements[index] = Float(index % 7) * 0.25 - 0.75 }
            }
            return try? SequenceBatch(rows: values, lengths: lengths)
        case .tokens:
            guard let shape = try? Shape(checking: [rows]) else { return nil }
            let limit = max(1, model.signature.tokenLimit ?? 1)
            let tokens = Tensor(of: Int64.self, shape: shape) { elements in
                for index in elements.indices { elements[index] = Int64(index % limit) }
            }
            return try? SequenceBatch(rows: tokens, lengths: lengths)
        }
    }
}
