import TensorCore

/// MeanVarianceNormalization: `(x - mean) / (deviation + 1e-9)` over some axes, computed in Double.
///
/// The axes are batch and space unless others are said; the deviation is the root of the variance with divisor N.
struct MeanVarianceNormalization: Operator {
    private let axes: [Int]

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        axes = try reader.ints("axes") ?? [0, 2, 3]
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let named = try x.shape.axes(axes)
        let order = (0..<x.shape.rank).filter { !named.contains($0) } + named
        let rows = try TransposeOperator.permute(x, order, inputs)
        let count = named.reduce(1) { $0 * x.shape[$1] }
        let work = MeanVarianceWork(x: rows, count: count, inputs: inputs)
        guard case .one(let y) = try work.run(for: x.elementType, input: 0) else { throw .missingInput(0) }
        var back = [Int](repeating: 0, count: order.count)
        for (place, axis) in order.enumerated() { back[axis] = place }
        return .one(try TransposeOperator.permute(y, back, inputs))
    }
}

private struct MeanVarianceWork: RealWork {
    let x: Tensor
    let count: Int
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let rows = count == 0 ? 0 : x.count / count
        return .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withPointer(to: T.self) { x in
                    for row in 0..<rows {
                        let (source, target) = (x + row * count, y + row * count)
                        let (mean, factor) = RowStatistics.of(source, count: count, epsilon: 0)
                        let divisor = 1 / factor + 1e-9
                        for index in 0..<count { target[index] = T((Double(source[index]) - mean) / divisor) }
                    }
                }
            }
        )
    }
}

/// LRN: each element divided by a power of the sum of squares of its neighbours among the channels (axis 1).
///
/// `y = x / (bias + alpha / size * sum)^beta`, over `size` channels around the element's own, computed in Double.
struct LRN: Operator {
    fileprivate let size: Int
    fileprivate let alpha: Double
    fileprivate let beta: Double
    fileprivate let bias: Double

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        guard let size = try reader.int("size") else { throw .missingAttribute("size") }
        guard (1..<WindowAttributes.limit).contains(size) else { throw .attributeValue("size") }
        self.size = size
        alpha = Double(try reader.float("alpha", default: 1e-4))
        beta = Double(try reader.float("beta", default: 0.75))
        bias = Double(try reader.float("bias", default: 1))
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank >= 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        return try ResponseWork(operation: self, x: x, inputs: inputs).run(for: x.elementType, input: 0)
    }
}

private struct ResponseWork: RealWork {
    let operation: LRN
    let x: Tensor
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let channels = x.shape[1]
        let length = x.shape.elementCount(of: 2..<x.shape.rank)
        let (before, behind) = ((operation.size - 1) / 2, operation.size / 2)
        return .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withElements(of: T.self) { x in
                    for index in x.indices {
                        let channel = index / length % channels
                        var sum = 0.0
                        for other in max(0, channel - before)..<min(channels, channel + behind + 1) {
                            let value = Double(x[index + (other - channel) * length])
                            sum += value * value
                        }
                        let base = operation.bias + operation.alpha / Double(operation.size) * sum
                        y[index] = T(Double(x[index]) / Power.double(base, operation.beta))
                    }
                }
            }
        )
    }
}
