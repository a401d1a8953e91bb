import FoundationEssentials
import Freezing
import Inference

/// Batches of records: shuffled and cut by seed and size, or as a list says.
struct RecordData: TrainingData {
    /// Which records make which batch.
    private enum Grouping {
        case shuffled(order: [UInt32], size: Int)
        case listed([[Int]])
    }

    private let index: RecordIndex
    private let grouping: Grouping
    private let layout: PaddedInputs

    /// Groups the records of an index.
    ///
    /// - Parameters:
    ///   - index: At least one record.
    ///   - options: Size, seed, list.
    ///   - list: What `options.batches` holds.
    ///   - layout: Lays records out as inputs.
    /// - Throws: A ``CommandFault``.
    init(index: RecordIndex, options: BatchArguments, list: BatchList?, layout: PaddedInputs)
        throws(CommandFault)
    {
        self.index = index
        self.layout = layout
        guard !index.entries.isEmpty else {
            throw CommandFault(
                place: index.files.first?.name ?? "data",
                reason: "there are no records"
            )
        }
        if let list {
            grouping = .listed(try list.places(in: index, path: options.batches ?? "-"))
        } else {
            grouping = .shuffled(
                order: RandomOrder.shuffled(index.entries.count, seed: options.seed),
                size: options.batchSize
            )
        }
    }

    var names: [String] { index.files.map { URL(fileURLWithPath: $0.name).lastPathComponent } }

    var batchCount: Int {
        switch grouping {
        case .shuffled(let order, let size): RandomOrder.partCount(of: order.count, size: size)
        case .listed(let batches): batches.count
        }
    }

    var summary: String { "\(index.entries.count) sequences, \(index.positions) positions" }

    func batch(_ number: Int) throws -> TrainingBatch {
        let records =
            switch grouping {
            case .shuffled(let order, let size):
                order[RandomOrder.part(number, of: order.count, size: size)].map { Int($0) }
            case .listed(let batches): batches[number]
            }
        let sequences = try index.sequences(records)
        let origin = index.origin(records)
        let inputs = try CommandFault.locating(origin) { try layout.inputs(sequences) }
        return TrainingBatch(inputs: inputs, lengths: sequences.lengths, origin: origin)
    }
}
