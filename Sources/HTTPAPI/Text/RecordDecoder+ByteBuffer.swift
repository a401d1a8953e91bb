public import NIOCore

extension RecordDecoder {
    /// Takes the next piece of the text, cut anywhere.
    ///
    /// - Parameter buffer: The piece; copied.
    public mutating func append(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { append($0) }
    }

    /// All records of a text that is there as a whole.
    ///
    /// - Parameter buffer: The text.
    /// - Returns: Its records in order.
    public mutating func records(in buffer: ByteBuffer) -> [SequenceRecord] {
        append(buffer)
        finish()
        var records: [SequenceRecord] = []
        while let record = next() { records.append(record) }
        return records
    }
}
