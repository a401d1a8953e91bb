import Kernels
import TensorCore

/// Clip: `min(max(x, low), high)`; the bounds are attributes before opset 11, inputs since.
struct Clip: Operator {
    private let low: Float?
    private let high: Float?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttributes = reader.opset < 11
        try reader.expectInputs(hasAttributes ? 1...1 : 1...3)
        low = hasAttributes ? try reader.float("min") : nil
        high = hasAttributes ? try reader.float("max") : nil
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        switch x.elementType {
        case .float32:
            let low = try inputs.floatScalar(1, unless: low) ?? -.infinity
            let high = try inputs.floatScalar(2, unless: high) ?? .infinity
            let count = x.count
            return .one(
                try inputs.makeTensor(of: Float.self, x.shape) { y in
                    x.withPointer(to: Float.self) {
                        Elementwise.clip($0, into: y, low: low, high: high, count: count)
                    }
                }
            )
        case .float64 where low != nil || high != nil:
            let (low, high) = (low.map { Double($0) }, high.map { Double($0) })
            return .one(
                try TypedMap.unary(x, inputs) { (x: Double) in
                    min(max(x, low ?? -.infinity), high ?? .infinity)
                }
            )
        default: return try ClipWork(x: x, inputs: inputs).run(for: x.elementType, input: 0)
        }
    }
}

private struct ClipWork: NumericWork {
    let x: Tensor
    let inputs: NodeInputs

    func run<T: TensorNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        var result = x
        for (index, operation) in [(1, true), (2, false)] {
            guard let bound = inputs.optional(index) else { continue }
            guard bound.elementType == x.elementType else {
                throw .elementTypesDiffer(x.elementType, bound.elementType)
            }
            guard bound.count == 1 else { throw .inputValue(input: index) }
            let limit = bound.withPointer(to: T.self) { $0[0] }
            result = try TypedMap.unary(result, inputs) { (x: T) in operation ? max(x, limit) : min(x, limit)
            }
        }
        return .one(result)
    }
}

extension Clip: PointwiseOperator {
    func number(_ operands: [Number], _ type: ElementType) -> Number? {
        // A lower bound alone, as of a count that must not be 0.
        operands.count == 2 ? Number.larger(operands[0], operands[1]) : nil
    }
}
