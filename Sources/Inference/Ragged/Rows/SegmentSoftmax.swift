import Kernels
import TensorCore

/// Exponentials that sum to one over the positions of each sequence, feature by feature.
///
/// Inputs: the rows, and the offsets of the sequences in them.
struct SegmentSoftmax: Operator {
    let logarithm: Bool

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        guard x.shape.rank > 0 else { throw .unsupportedRank(0, input: 0) }
        let segments = try Segments(inputs[1], rows: x.shape[0])
        let size = x.shape.elementCount(of: 1..<x.shape.rank)
        return .one(
            try inputs.makeTensor(of: Float.self, x.shape) { y in
                x.withPointer(to: Float.self) { x in
                    for index in 0..<segments.count {
                        let start = segments[index].lowerBound * size
                        Softmax.apply(
                            x + start,
                            into: y + start,
                            outer: 1,
                            axis: segments[index].count,
                            inner: size,
                            logarithm: logarithm
                        )
                    }
                }
            }
        )
    }
}
