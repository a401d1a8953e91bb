import TensorCore

/// NonZero: the indices of all elements that are not 0, `[rank, count]`, in row-major order.
struct NonZero: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let flags = try Cast.convert(x, to: .bool, inputs, input: 0)
        let shape = x.shape
        let count = flags.withElements(of: Bool.self) { flags in flags.count { $0 } }
        return .one(
            try inputs.makeTensor(of: Int64.self, Shape.checked([shape.rank, count])) { y in
                flags.withElements(of: Bool.self) { flags in
                    var column = 0
                    for place in flags.indices where flags[place] {
                        var rest = place
                        for axis in (0..<shape.rank).reversed() {
                            y[axis * count + column] = Int64(rest % shape[axis])
                            rest /= shape[axis]
                        }
                        column += 1
                    }
                }
            }
        )
    }
}
