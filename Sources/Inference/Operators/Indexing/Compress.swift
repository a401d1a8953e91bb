import Kernels
import TensorCore

/// Compress: the elements of an axis, or of the flattened tensor, whose condition holds.
///
/// A condition shorter than the axis leaves the rest out.
struct Compress: Operator, TakingAllTypes {
    private let axis: Int?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        axis = try reader.int("axis")
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var x = try inputs[0]
        let condition = try inputs[1]
        guard condition.elementType == .bool else {
            throw .unsupportedElementType(condition.elementType, input: 1)
        }
        guard condition.shape.rank == 1 else { throw .unsupportedRank(condition.shape.rank, input: 1) }
        if axis == nil { x = try x.viewed(as: Shape.checked([x.count])) }
        let axis = try x.shape.axis(axis ?? 0)
        guard condition.count <= x.shape[axis] else {
            throw .shape(
                .dimensionMismatch(axis: 0, expected: x.shape[axis], actual: condition.count)
            )
        }
        let kept = condition.withElements(of: Bool.self) { flags in flags.count { $0 } }
        let shape = try shaped { () throws(ShapeError) in
            try x.shape.replacing(axis: axis, by: kept)
        }
        var y = try inputs.makeTensor(x.elementType, shape)
        let outer = x.shape.elementCount(of: 0..<axis)
        let bytes = x.shape.elementCount(of: (axis + 1)..<x.shape.rank) * x.elementType.byteCount
        let length = x.shape[axis]
        x.withRawPointer { source in
            y.withMutableRawPointer { target in
                condition.withElements(of: Bool.self) { flags in
                    for row in 0..<outer {
                        var index = row * kept
                        for position in flags.indices where flags[position] {
                            (target + index * bytes).copyMemory(
                                from: source + (row * length + position) * bytes,
                                byteCount: bytes
                            )
                            index += 1
                        }
                    }
                }
            }
        }
        return .one(y)
    }
}
