import Kernels
import TensorCore

/// Each sequence's rows reduced to one, `[R, ...]` to `[B, ...]`.
///
/// Inputs: the rows, and the offsets of the sequences in them.
struct SegmentReduction: Operator {
    let operation: Reduction

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let segments = try Segments(inputs[1], rows: x.shape[0])
        let shape = try shaped { () throws(ShapeError) in
            try x.shape.replacing(axis: 0, by: segments.count)
        }
        let size = x.shape.elementCount(of: 1..<x.shape.rank)
        return .one(
            try inputs.makeTensor(of: Float.self, shape) { y in
                x.withPointer(to: Float.self) { x in
                    for index in 0..<segments.count {
                        let range = segments[index]
                        operation.reduce(
                            x + range.lowerBound * size,
                            into: y + index * size,
                            outer: 1,
                            axis: range.count,
                            inner: size
                        )
                    }
                }
            }
        )
    }
}
