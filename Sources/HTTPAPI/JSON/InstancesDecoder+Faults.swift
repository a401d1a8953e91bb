import TensorCore

extension InstancesDecoder {
    /// Reads every sequence on its own, after reading them together has failed at one.
    ///
    /// - Parameters:
    ///   - instances: The array.
    ///   - reader: Reads one.
    /// - Returns: Those that can be read, packed in order (nil if there are none), and what is wrong with the others.
    static func readEach(
        _ instances: JSONValue,
        _ reader: SequenceReader
    ) -> (batch: SequenceBatch?, faults: [InstanceFault]) {
        var batches: [SequenceBatch] = []
        var faults: [InstanceFault] = []
        var index = 0
        try? instances.forEachElement { (value) throws(BodyError) in
            do throws(BodyError) {
                var collector = SequenceCollector(reader)
                try collector.add(value, others: .refused)
                batches.append(try collector.batch(indexed: false))
            } catch {
                let place = error.inside(.index(index)).inside(.key("instances"))
                faults.append(InstanceFault(index: index, error: place))
            }
            index += 1
        }
        let batch = batches.isEmpty ? nil : try? SequenceBatch.concatenating(batches)
        return (batch, faults)
    }
}
