import ONNXGraph
import TensorCore

/// BitCast: the same bits under another type of the same size; a byte that is not 0 is a true bool.
struct BitCast: Operator, TakingAllTypes {
    private let target: ElementType

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        guard let code = try reader.int("to") else { throw .missingAttribute("to") }
        guard let target = ElementType(onnxCode: Int64(code)) else { throw .attributeValue("to") }
        self.target = target
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        if x.elementType == target { return .one(x) }
        // What shares bytes in a file has bits of its own here.
        guard x.elementType.bitCount >= 8 else { throw .unsupportedElementType(x.elementType, input: 0) }
        guard x.elementType.bitCount == target.bitCount else {
            throw .elementTypesDiffer(x.elementType, target)
        }
        var y = try inputs.makeTensor(target, x.shape)
        let isBool = target == .bool
        y.withMutableBytes { bytes in
            x.withBytes { bytes.copyMemory(from: $0) }
            guard isBool else { return }
            for index in bytes.indices { bytes[index] = bytes[index] == 0 ? 0 : 1 }
        }
        return .one(y)
    }
}
