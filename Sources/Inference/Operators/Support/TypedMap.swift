import TensorCore

/// Element by element for the types that no kernel is made for: shape arithmetic, masks, Double.
enum TypedMap {
    /// `y = f(x)`.
    @inline(__always)
    static func unary<T: TensorElement, R: TensorElement>(
        _ x: Tensor,
        _ inputs: NodeInputs,
        _ function: (T) -> R
    ) throws(OperatorError) -> Tensor {
        let count = x.count
        return try inputs.makeTensor(of: R.self, x.shape) { y in
            x.withPointer(to: T.self) { x in
                for index in 0..<count { y[index] = function(x[index]) }
            }
        }
    }

    /// `c = f(a, b)` with broadcasting.
    @inline(__always)
    static func binary<T: TensorElement, R: TensorElement>(
        _ a: Tensor,
        _ b: Tensor,
        _ inputs: NodeInputs,
        _ function: (T, T) -> R
    ) throws(OperatorError) -> Tensor {
        let shape = try a.shape.broadcasting(b.shape)
        return try inputs.makeTensor(of: R.self, shape) { c in
            a.withPointer(to: T.self) { left in
                b.withPointer(to: T.self) { right in
                    if a.shape == b.shape {
                        for index in 0..<shape.elementCount { c[index] = function(left[index], right[index]) }
                        return
                    }
                    var position = 0
                    TypedMap.forEachPair(a.shape, b.shape, shape) { i, j in
                        c[position] = function(left[i], right[j])
                        position += 1
                    }
                }
            }
        }
    }

    /// Calls the closure with the offsets of both operands for every element of the broadcast shape.
    @inline(__always)
    static func forEachPair(_ a: Shape, _ b: Shape, _ shape: Shape, _ body: (Int, Int) -> Void) {
        guard shape.elementCount > 0 else { return }
        let left = StridedView(a, broadcastTo: shape)
        let right = StridedView(b, broadcastTo: shape)
        var index = InlineArray<8, Int>(repeating: 0)
        var i = 0
        var j = 0
        while true {
            body(i, j)
            var axis = shape.rank - 1
            while axis >= 0 {
                index[axis] += 1
                i += left.strides[axis]
                j += right.strides[axis]
                if index[axis] < shape[axis] { break }
                i -= shape[axis] * left.strides[axis]
                j -= shape[axis] * right.strides[axis]
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
