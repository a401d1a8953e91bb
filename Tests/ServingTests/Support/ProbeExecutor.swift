import Inference
import Metrics
import NIOConcurrencyHelpers
import TensorCore

@testable import Serving

/// A stand-in for a plan: an output per position (each value doubled) and one per sequence (its sum).
///
/// It remembers the lengths of every batch it ran, can hold the thread at a gate, and fails on batches that
/// hold the value ``poison``.
struct ProbeExecutor: SequenceExecutor {
    static let poison: Float = -99

    let gate: Gate?
    let runs = NIOLockedValueBox<[[Int]]>([])

    init(gate: Gate? = nil) {
        self.gate = gate
    }

    var ranLengths: [[Int]] { runs.withLockedValue { $0 } }

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] {
        runs.withLockedValue { $0.append(batch.lengths) }
        gate?.pass()
        let values = batch.rows.array(of: Float.self)
        guard !values.contains(Self.poison) else { throw .missingInput("poison") }
        let doubled = Tensor(of: Float.self, shape: batch.rows.shape) { out in
            for (index, value) in values.enumerated() { out[index] = 2 * value }
        }
        let sums = Tensor(of: Float.self, shape: [batch.count, 1]) { out in
            for index in 0..<batch.count { out[index] = batch[index].array(of: Float.self).reduce(0, +) }
        }
        return [
            SequenceOutput(name: "doubled", rows: doubled, lengths: batch.lengths),
            SequenceOutput(name: "sum", rows: sums, lengths: nil),
        ]
    }
}

/// An executor that gives whatever it was made with.
struct FixedExecutor: SequenceExecutor {
    let outputs: [SequenceOutput]

    func run(_ batch: SequenceBatch) throws(ExecutionError) -> [SequenceOutput] { outputs }
}

/// Features `[R, 1]` whose values tell the sequences apart.
func makeBatch(_ lengths: [Int], from start: Float = 1) throws -> SequenceBatch {
    let rows = lengths.reduce(0, +)
    let values = (0..<rows).map { start + Float($0) * 0.37 }
    return try SequenceBatch(rows: Tensor(values, shape: Shape(checking: [rows, 1])), lengths: lengths)
}

/// An identity for models that are none.
final class ModelIdentity: Sendable {}

/// Makes requests that may be run together, as they are for one model and one set of outputs.
struct Lane {
    let identity = ModelIdentity()
    let metrics: ModelMetrics
    let executor: any SequenceExecutor

    init(_ executor: any SequenceExecutor, metrics factory: any MetricsFactory = NOOPMetricsHandler.instance)
    {
        self.executor = executor
        metrics = ModelMetrics(model: "probe", version: 1, factory: factory)
    }

    func request(_ batch: SequenceBatch) -> PendingRequest { request(batch, RequestHandling()) }

    func request(_ batch: SequenceBatch, _ handling: RequestHandling) -> PendingRequest {
        let key = BatchKey(model: ObjectIdentifier(identity), request: .outputs([]))
        return PendingRequest(key: key, batch: batch, handling: handling, metrics: metrics) { [executor] in
            .success(executor)
        }
    }
}

/// Whether two outputs are the same to the last bit.
func same(_ a: [SequenceOutput], _ b: [SequenceOutput]) -> Bool {
    a.elementsEqual(b) { $0.name == $1.name && $0.rows == $1.rows && $0.lengths == $1.lengths }
}
