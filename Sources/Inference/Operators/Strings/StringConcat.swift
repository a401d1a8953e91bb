import TensorCore

/// StringConcat: the strings of two inputs, each pair joined; broadcast like numbers.
struct StringConcat: Operator, TakingAllTypes {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(2...2) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let a = try inputs.strings(0)
        let b = try inputs.strings(1)
        let shape = try a.shape.broadcasting(b.shape)
        // Before memory is taken: each string is at most as long as the longest two together.
        let bytes = a.longest + b.longest + MemoryLayout<String>.stride
        guard shape.elementCount <= StringTensor.maximumByteCount / bytes else {
            throw .stringsTooLarge(limitBytes: StringTensor.maximumByteCount)
        }
        var joined: [String] = []
        joined.reserveCapacity(shape.elementCount)
        TypedMap.forEachPair(a.shape, b.shape, shape) { joined.append(a.values[$0] + b.values[$1]) }
        return .values([.strings(try .checked(joined, shape))])
    }
}

extension StringTensor {
    /// The number of bytes of the longest string.
    fileprivate var longest: Int { values.reduce(0) { max($0, $1.utf8.count) } }
}
