import TensorCore

/// An operator over 16-bit floats: its inputs are widened to float32, its float32 results rounded to their type.
struct ThroughFloat32: Operator {
    let computation: any Operator

    var isFoldable: Bool { computation.isFoldable }

    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        let wide = constants.map { $0.flatMap { Self.widened($0) } }
        return computation.prepare(wide).map { ThroughFloat32(computation: $0) }
    }

    func narrowed() -> (any Operator)? {
        computation.narrowed().map { ThroughFloat32(computation: $0) }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        var half: ElementType?
        var tensors: [Tensor?] = []
        for index in 0..<inputs.count {
            let tensor = inputs.optional(index)
            if let tensor, tensor.elementType.isHalf { half = half ?? tensor.elementType }
            tensors.append(tensor.flatMap { Self.widened($0) })
        }
        guard let half else { return try computation.evaluate(inputs) }
        let outputs = try NodeInputs.evaluate(
            computation,
            tensors,
            outputCount: inputs.outputCount,
            budget: inputs.budget
        )
        switch outputs {
        case .one(let tensor): return .one(try Self.rounded(tensor, to: half, inputs))
        case .many(let tensors):
            var results: [Tensor] = []
            for tensor in tensors { results.append(try Self.rounded(tensor, to: half, inputs)) }
            return .many(results)
        case .values: return outputs
        }
    }

    private static func widened(_ tensor: Tensor) -> Tensor? {
        switch tensor.elementType {
        case .float16: map(tensor) { (x: Float16) in Float(x) }
        case .bfloat16: map(tensor) { (x: BFloat16) in x.float }
        default: tensor
        }
    }

    private static func map<T: TensorElement>(_ x: Tensor, _ function: (T) -> Float) -> Tensor {
        x.withElements(of: T.self) { source in
            Tensor(of: Float.self, shape: x.shape) { target in
                for index in source.indices { target[index] = function(source[index]) }
            }
        }
    }

    private static func rounded(
        _ tensor: Tensor,
        to half: ElementType,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        guard tensor.elementType == .float32 else { return tensor }
        return try Cast.convert(tensor, to: half, inputs, input: 0)
    }
}

extension ElementType {
    /// Whether this is a float of 16 bits.
    var isHalf: Bool { self == .float16 || self == .bfloat16 }
}
