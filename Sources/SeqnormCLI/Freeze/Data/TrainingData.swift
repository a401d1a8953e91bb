import Freezing

/// The batches that statistics are estimated over, read one at a time.
protocol TrainingData {
    /// What the data is called in reports: the names of its files.
    var names: [String] { get }
    /// How many batches there are.
    var batchCount: Int { get }
    /// What was found, for the user: `270 sequences, 4274 positions`.
    var summary: String { get }

    /// Reads a batch; nothing of it is kept.
    ///
    /// - Parameter index: In `0 ..< batchCount`.
    /// - Returns: The inputs of the training graph.
    /// - Throws: A ``CommandFault`` that names the file, and the line where there are lines.
    func batch(_ index: Int) throws -> TrainingBatch
}
