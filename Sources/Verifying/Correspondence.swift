import TensorCore

/// Where the elements of a value of one sequence stand in the value of a longer or larger run.
///
/// Axes of equal length correspond. An axis that is longer in the larger run is one of positions, of sequences, or of both
/// joined; the sequence stands at its beginning, or, where the axis of sequences is the inner one of two joined, at
/// every n-th place. The nearer of both counts.
enum Correspondence {
    /// How far a value is from its counterpart.
    ///
    /// - Parameters:
    ///   - small: The value of the sequence alone.
    ///   - large: The value of the run in which the sequence is the first.
    /// - Returns: The difference; nil if the values do not correspond.
    static func difference(_ small: Tensor, _ large: Tensor) -> Double? {
        guard small.elementType == large.elementType, small.shape.rank == large.shape.rank,
            zip(small.shape.dimensions, large.shape.dimensions).allSatisfy({ $0 <= $1 })
        else { return nil }
        var best = relative(small, cut(large, to: small.shape, interleaved: false))
        if best > 0, small.shape != large.shape, isInterleavable(small.shape, large.shape) {
            best = min(best, relative(small, cut(large, to: small.shape, interleaved: true)))
        }
        return best
    }

    private static func relative(_ a: Tensor, _ b: Tensor) -> Double {
        var difference = Difference()
        difference.add(a, b)
        return difference.largest
    }

    private static func isInterleavable(_ small: Shape, _ large: Shape) -> Bool {
        zip(small.dimensions, large.dimensions).allSatisfy { $0 == $1 || $0 > 1 && $1 % $0 == 0 }
    }

    /// The elements of a tensor that correspond to a smaller shape.
    private static func cut(_ tensor: Tensor, to shape: Shape, interleaved: Bool) -> Tensor {
        if tensor.shape == shape { return tensor }
        let steps = zip(shape.dimensions, tensor.shape.dimensions).map { interleaved && $0 > 0 ? $1 / $0 : 1 }
        var strides = [Int](repeating: 1, count: shape.rank)
        for axis in stride(from: shape.rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * tensor.shape[axis + 1]
        }
        var result = Tensor(uninitialized: tensor.elementType, shape: shape)
        let bytes = tensor.elementType.byteCount
        tensor.withRawPointer { source in
            result.withMutableRawPointer { target in
                var place = [Int](repeating: 0, count: shape.rank)
                for element in 0..<shape.elementCount {
                    var offset = 0
                    for axis in place.indices { offset += place[axis] * steps[axis] * strides[axis] }
                    (target + element * bytes).copyMemory(from: source + offset * bytes, byteCount: bytes)
                    var axis = shape.rank - 1
                    while axis >= 0 {
                        place[axis] += 1
                        if place[axis] < shape[axis] { break }
                        place[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
        return result
    }
}
