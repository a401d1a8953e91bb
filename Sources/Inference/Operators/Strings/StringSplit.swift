import TensorCore

/// StringSplit: every string in parts, padded with empty ones to a new last axis, and the number of its parts.
///
/// Without a delimiter, or with an empty one, parts are what stands between runs of white space.
struct StringSplit: Operator, TakingAllTypes {
    private let delimiter: String
    private let maximumSplits: Int?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        delimiter = try reader.string("delimiter") ?? ""
        maximumSplits = try reader.int("maxsplit")
        if let maximumSplits, maximumSplits < 0 { throw .attributeValue("maxsplit") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.strings(0)
        let parts = x.values.map { delimiter.isEmpty ? words($0) : fields($0) }
        let width = parts.reduce(0) { max($0, $1.count) }
        let wide = try shaped { () throws(ShapeError) in try x.shape.inserting(width, at: x.shape.rank) }
        guard wide.elementCount <= StringTensor.maximumByteCount / MemoryLayout<String>.stride else {
            throw .stringsTooLarge(limitBytes: StringTensor.maximumByteCount)
        }
        var values: [String] = []
        values.reserveCapacity(wide.elementCount)
        for row in parts {
            values += row
            values += repeatElement("", count: width - row.count)
        }
        let counts = try shaped { () throws(ShapeError) in
            try Tensor(parts.map { Int64($0.count) }, shape: x.shape)
        }
        return .values([.strings(try .checked(values, wide)), .tensor(counts)])
    }

    private func words(_ text: String) -> [String] {
        let limit = maximumSplits ?? .max
        let start = text.drop(while: \.isWhitespace)
        return start.split(maxSplits: limit, whereSeparator: \.isWhitespace)
            .map { String($0.drop(while: \.isWhitespace)) }
            .filter { !$0.isEmpty }
    }

    private func fields(_ text: String) -> [String] {
        if text.isEmpty { return [] }
        let bytes = Array(text.utf8)
        let separator = Array(delimiter.utf8)
        var fields: [String] = []
        var start = 0
        var position = 0
        while position + separator.count <= bytes.count, fields.count < maximumSplits ?? .max {
            guard bytes[position..<position + separator.count].elementsEqual(separator) else {
                position += 1
                continue
            }
            fields.append(String(decoding: bytes[start..<position], as: UTF8.self))
            position += separator.count
            start = position
        }
        return fields + [String(decoding: bytes[start...], as: UTF8.self)]
    }
}
