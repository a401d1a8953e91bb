import ONNXGraph
import TensorCore

/// EyeLike: ones on the diagonal `k` of a matrix of the input's shape, zeros elsewhere.
struct EyeLike: Operator, TakingAllTypes {
    private let type: ElementType?
    private let diagonal: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        diagonal = try reader.int("k", default: 0)
        guard let code = try reader.int("dtype") else {
            type = nil
            return
        }
        guard let type = ElementType(onnxCode: Int64(code)) else { throw .attributeValue("dtype") }
        self.type = type
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank == 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let columns = x.shape[1]
        let ones = try inputs.makeTensor(of: Bool.self, x.shape) { y in
            y.update(repeating: false, count: x.count)
            for row in 0..<(columns > 0 ? x.shape[0] : 0) {
                let (column, overflow) = row.addingReportingOverflow(diagonal)
                if !overflow, column >= 0, column < columns { y[row * columns + column] = true }
            }
        }
        return .one(try Cast.convert(ones, to: type ?? x.elementType, inputs, input: 0))
    }
}
