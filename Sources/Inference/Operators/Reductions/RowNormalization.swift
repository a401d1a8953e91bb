import FoundationEssentials
import TensorCore

/// RMSNormalization: each row, all axes from `axis` on, divided by the root of the mean of its squares.
///
/// `y = x / sqrt(mean(x^2) + epsilon) * scale`; the mean is computed in Double.
struct RMSNormalization: Operator {
    private let axis: Int
    private let epsilon: Double

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        axis = try reader.int("axis", default: -1)
        epsilon = Double(try reader.float("epsilon", default: 1e-5))
        _ = try reader.int("stash_type")
    }

    private init(_ normalization: RMSNormalization, axis: Int) {
        self.axis = axis
        epsilon = normalization.epsilon
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let scale = try inputs.tensor(1, of: x.elementType)
        let columns = x.shape.elementCount(of: try x.shape.axis(axis)..<x.shape.rank)
        guard try scale.shape.broadcasting(x.shape) == x.shape else {
            throw .shape(.notBroadcastable(scale.shape.dimensions, x.shape.dimensions))
        }
        let work = RootMeanSquareWork(x: x, columns: columns, epsilon: epsilon, inputs: inputs)
        let output = try work.run(for: x.elementType, input: 0)
        guard case .one(let normalized) = output else { return output }
        return .one(try Arithmetic.combine(.multiply, normalized, scale, inputs, mayWrite: (true, false)))
    }
}

private struct RootMeanSquareWork: RealWork {
    let x: Tensor
    let columns: Int
    let epsilon: Double
    let inputs: NodeInputs

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let rows = columns == 0 ? 0 : x.count / columns
        return .one(
            try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withPointer(to: T.self) { x in
                    for row in 0..<rows {
                        let (source, target) = (x + row * columns, y + row * columns)
                        var sum = 0.0
                        for index in 0..<columns { sum += Double(source[index]) * Double(source[index]) }
                        let factor = 1 / (sum / Double(columns) + epsilon).squareRoot()
                        for index in 0..<columns { target[index] = T(Double(source[index]) * factor) }
                    }
                }
            }
        )
    }
}

/// Mean and deviation of a row, by two passes in Double.
enum RowStatistics {
    /// The mean, and `1 / sqrt(variance + epsilon)`, variance with divisor N.
    @inline(__always)
    static func of<T: RealNumber>(
        _ row: UnsafePointer<T>,
        count: Int,
        epsilon: Double
    ) -> (mean: Double, factor: Double) {
        var sum = 0.0
        for index in 0..<count { sum += Double(row[index]) }
        let mean = sum / Double(count)
        var squares = 0.0
        for index in 0..<count {
            let difference = Double(row[index]) - mean
            squares += difference * difference
        }
        return (mean, 1 / (squares / Double(count) + epsilon).squareRoot())
    }
}

/// LpNormalization: each row along an axis divided by its sum of magnitudes (`p` 1) or its length (`p` 2).
///
/// A row of zeros stays one.
struct LpNormalization: Operator {
    private let axis: Int
    private let takesSquares: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        axis = try reader.int("axis", default: -1)
        switch try reader.int("p", default: 2) {
        case 1: takesSquares = false
        case 2: takesSquares = true
        default: throw .attributeValue("p")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axis = try x.shape.axis(axis)
        switch x.elementType {
        case .float32: return .one(try normalized(of: Float.self, x, axis, inputs))
        case .float64: return .one(try normalized(of: Double.self, x, axis, inputs))
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func normalized<T: TensorElement & BinaryFloatingPoint>(
        of type: T.Type,
        _ x: Tensor,
        _ axis: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let length = x.shape[axis]
        let inner = x.shape.elementCount(of: (axis + 1)..<x.shape.rank)
        let rows = length == 0 ? 0 : x.count / length
        return try inputs.makeTensor(of: T.self, x.shape) { y in
            x.withPointer(to: T.self) { x in
                for row in 0..<rows {
                    let start = row / inner * length * inner + row % inner
                    var sum = 0.0
                    for index in 0..<length {
                        let value = Double(x[start + index * inner])
                        sum += takesSquares ? value * value : value.magnitude
                    }
                    let norm = takesSquares ? sum.squareRoot() : sum
                    for index in 0..<length {
                        let place = start + index * inner
                        y[place] = norm == 0 ? 0 : T(Double(x[place]) / norm)
                    }
                }
            }
        }
    }
}

extension RMSNormalization: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        return [try inputs.made(x.elementType, x.extents)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let axis = try NodeFacts.axis(axis, rank: x.rank)
        guard x.elementType == .float32, x.timeAxis.map({ $0 < axis }) ?? true,
            let first = x.featureAxes.first(where: { $0 >= axis })
        else {
            throw NoRule("positions are normalized together")
        }
        var operands: [PlanGraph.ValueID?] = [try packing.rows(0)]
        for index in 1..<packing.known.count {
            guard let constant = packing.known.constant(index) else {
                throw NoRule("a parameter is not constant")
            }
            operands.append(packing.constant(try NodePacking.aligned(constant, to: x)))
        }
        return [packing.emit(RMSNormalization(self, axis: try NodePacking.place(of: first, in: x)), operands)]
    }
}
