import TensorCore

/// Strings written in the model: a Constant, or an initializer.
struct StringConstant: Operator, TakingAllTypes {
    private let strings: StringTensor

    init(_ strings: StringTensor) { self.strings = strings }

    /// The strings of a Constant node; nil if it holds something else.
    init?(_ reader: inout AttributeReader) throws(OperatorError) {
        if let strings = try reader.stringTensor("value") {
            self.strings = strings
        } else if let value = try reader.string("value_string") {
            strings = try .checked([value], Shape())
        } else if let values = try reader.strings("value_strings") {
            strings = try .checked(values, Shape.checked([values.count]))
        } else {
            return nil
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs { .values([.strings(strings)]) }
}

extension StringTensor {
    /// Strings of a shape, if they are not too large.
    static func checked(_ values: [String], _ shape: Shape) throws(OperatorError) -> StringTensor {
        // Short strings take memory as well.
        let bytes = values.reduce(0) { $0 + $1.utf8.count + MemoryLayout<String>.stride }
        guard bytes <= maximumByteCount else { throw .stringsTooLarge(limitBytes: maximumByteCount) }
        return try shaped { () throws(ShapeError) in try StringTensor(values, shape: shape) }
    }
}
