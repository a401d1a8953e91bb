import Kernels
import TensorCore

/// Gather: the elements of an axis that the indices name; negative ones count from the end.
struct GatherOperator: Operator, TakingAllTypes {
    private let axis: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        axis = try reader.int("axis", default: 0)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        var indices = try inputs[1]
        if indices.elementType == .int32 { indices = try Cast.convert(indices, to: .int64, inputs, input: 1) }
        guard indices.elementType == .int64 else {
            throw .unsupportedElementType(indices.elementType, input: 1)
        }
        let axis = try x.shape.axis(axis)
        let length = x.shape[axis]
        if axis == 0, indices.shape.rank == 0 {
            let index = indices.withPointer(to: Int64.self) { Int($0[0]) }
            guard index >= -length, index < length else {
                throw .indexOutOfRange(index: index, length: length)
            }
            return .one(x.element(at: index < 0 ? index + length : index))
        }
        var shape = x.shape.removing(axis: axis)
        for position in 0..<indices.shape.rank {
            let inserted = shape
            shape = try shaped { () throws(ShapeError) in
                try inserted.inserting(indices.shape[position], at: axis + position)
            }
        }
        var y = try inputs.makeTensor(x.elementType, shape)
        let outer = x.shape.elementCount(of: 0..<axis)
        let rowBytes = x.shape.elementCount(of: (axis + 1)..<x.shape.rank) * x.elementType.byteCount
        let fault = x.withRawPointer { table in
            indices.withElements(of: Int64.self) { indices in
                y.withMutableRawPointer { output in
                    Gather.rows(
                        of: table,
                        outer: outer,
                        rows: length,
                        rowBytes: rowBytes,
                        indices: indices,
                        into: output
                    )
                }
            }
        }
        if let fault {
            let index = indices.withPointer(to: Int64.self) { Int($0[fault]) }
            throw .indexOutOfRange(index: index, length: length)
        }
        return .one(y)
    }
}
