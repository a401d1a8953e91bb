import TensorCore

/// Brings statistics to a given number of steps: what is longer is cut, what is shorter repeats its last step.
enum StepFitting {
    /// A tensor with other numbers of steps.
    ///
    /// - Parameters:
    ///   - tensor: `[T..., C...]`, float32.
    ///   - steps: The numbers of steps wanted, outermost first.
    ///   - shape: The shape of the result, with these steps in front.
    /// - Returns: The tensor; nil if it has other channels.
    static func fit(_ tensor: Tensor, toSteps steps: [Int], shape: Shape) -> Tensor? {
        let own = Array(tensor.shape.dimensions.prefix(steps.count))
        let width = steps.reduce(shape.elementCount) { $1 > 0 ? $0 / $1 : 0 }
        let count = own.reduce(1, *)
        guard own.count == steps.count, tensor.elementType == .float32, count > 0, !own.contains(0),
            tensor.count == count * width, width > 0
        else { return nil }
        if own == steps { return try? tensor.reshaped(to: shape) }
        let source = tensor.array(of: Float.self)
        let cells = steps.reduce(1, *)
        return Tensor(of: Float.self, shape: shape) { target in
            for cell in 0..<cells {
                var rest = cell
                var place = 0
                var stride = 1
                for axis in steps.indices.reversed() {
                    place += min(rest % steps[axis], own[axis] - 1) * stride
                    rest /= steps[axis]
                    stride *= own[axis]
                }
                for channel in 0..<width { target[cell * width + channel] = source[place * width + channel] }
            }
        }
    }
}
