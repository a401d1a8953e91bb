import Kernels
import TensorCore

/// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceSumSquare and ReduceL2.
///
/// The maximum of bools is whether any is true, the minimum whether all are.
struct Reduce: Operator {
    enum Kind: Sendable { case sum, mean, maximum, minimum, sumOfSquares, norm }

    private let kind: Kind
    private let axes: ReductionAxes

    init(_ kind: Kind, axesAreInputSince opset: Int, _ reader: inout AttributeReader) throws(OperatorError) {
        self.kind = kind
        axes = try ReductionAxes(inputSince: opset, &reader)
    }

    private init(_ kind: Kind, _ axes: ReductionAxes) {
        self.kind = kind
        self.axes = axes
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let axes = try self.axes.named(x.shape, inputs)
        var result = try widened(x, inputs)
        var stage = kind
        if axes.isEmpty && (kind == .sumOfSquares || kind == .norm) {
            result = try block(result, axes: 0..<0, kind: .sumOfSquares, inputs)
        }
        // Axes that are neighbours are reduced at once, from the last block to the first.
        var end = axes.count
        while end > 0 {
            var start = end - 1
            while start > 0 && axes[start - 1] == axes[start] - 1 { start -= 1 }
            result = try block(result, axes: axes[start]..<(axes[end - 1] + 1), kind: stage, inputs)
            if stage == .sumOfSquares || stage == .norm { stage = .sum }
            end = start
        }
        if kind == .norm {
            let root = try squareRoot(result, inputs)
            result = try Cast.convert(root, to: x.elementType, inputs, input: 0)
        }
        return .one(try self.axes.finish(result, without: axes))
    }

    /// What is reduced: a norm of integers is computed in Double, and its fraction dropped.
    private func widened(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        guard kind == .norm, x.elementType != .float32, x.elementType != .float64 else { return x }
        guard x.elementType != .bool, !x.elementType.isNarrow else {
            throw .unsupportedElementType(x.elementType, input: 0)
        }
        return try Cast.convert(x, to: .float64, inputs, input: 0)
    }

    /// Neighbouring axes reduced to one element each; they stay as axes of length 1.
    private func block(
        _ x: Tensor,
        axes: Range<Int>,
        kind: Kind,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        var shape = x.shape
        for axis in axes {
            let before = shape
            shape = try shaped { () throws(ShapeError) in try before.replacing(axis: axis, by: 1) }
        }
        let outer = x.shape.elementCount(of: 0..<axes.lowerBound)
        let count = x.shape.elementCount(of: axes)
        let inner = x.shape.elementCount(of: axes.upperBound..<x.shape.rank)
        switch x.elementType {
        case .float32:
            let operation = kind.kernel
            return try inputs.makeTensor(of: Float.self, shape) { y in
                guard count > 0 else {
                    for index in 0..<outer * inner { y[index] = kind.emptyValue }
                    return
                }
                x.withPointer(to: Float.self) {
                    operation.reduce($0, into: y, outer: outer, axis: count, inner: inner)
                }
            }
        case .float64:
            let start = kind == .mean ? 0 : Double(kind.emptyValue)
            let result = try fold(of: Double.self, x, shape, (outer, count, inner), start, inputs) {
                kind.combine($0, $1)
            }
            guard kind == .mean else { return result }
            return try TypedMap.unary(result, inputs) { (sum: Double) in sum / Double(count) }
        case .int64:
            return try integers(of: Int64.self, x, shape, (outer, count, inner), kind, inputs)
        case .int32:
            return try integers(of: Int32.self, x, shape, (outer, count, inner), kind, inputs)
        case .int8: return try integers(of: Int8.self, x, shape, (outer, count, inner), kind, inputs)
        case .int16: return try integers(of: Int16.self, x, shape, (outer, count, inner), kind, inputs)
        case .uint8: return try integers(of: UInt8.self, x, shape, (outer, count, inner), kind, inputs)
        case .uint16: return try integers(of: UInt16.self, x, shape, (outer, count, inner), kind, inputs)
        case .uint32: return try integers(of: UInt32.self, x, shape, (outer, count, inner), kind, inputs)
        case .uint64: return try integers(of: UInt64.self, x, shape, (outer, count, inner), kind, inputs)
        case .bool where kind == .maximum:
            return try fold(of: Bool.self, x, shape, (outer, count, inner), false, inputs) { $0 || $1 }
        case .bool where kind == .minimum:
            return try fold(of: Bool.self, x, shape, (outer, count, inner), true, inputs) { $0 && $1 }
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func integers<T: TensorElement & FixedWidthInteger>(
        of type: T.Type,
        _ x: Tensor,
        _ shape: Shape,
        _ extent: (Int, Int, Int),
        _ kind: Kind,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        switch kind {
        case .sum: return try fold(of: T.self, x, shape, extent, 0, inputs) { $0 &+ $1 }
        case .maximum: return try fold(of: T.self, x, shape, extent, .min, inputs) { max($0, $1) }
        case .minimum: return try fold(of: T.self, x, shape, extent, .max, inputs) { min($0, $1) }
        case .sumOfSquares: return try fold(of: T.self, x, shape, extent, 0, inputs) { $0 &+ $1 &* $1 }
        case .mean:
            guard extent.1 > 0 else { throw .divisionByZero }
            let sum = try fold(of: T.self, x, shape, extent, 0, inputs) { (a: T, b: T) in a &+ b }
            return try TypedMap.unary(sum, inputs) { (value: T) in
                // A count that the type cannot hold is larger than any sum in it.
                T(exactly: extent.1).map { value / $0 } ?? 0
            }
        case .norm: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    @inline(__always)
    private func fold<T: TensorElement>(
        of type: T.Type,
        _ x: Tensor,
        _ shape: Shape,
        _ extent: (outer: Int, count: Int, inner: Int),
        _ start: T,
        _ inputs: NodeInputs,
        _ combine: (T, T) -> T
    ) throws(OperatorError) -> Tensor {
        try inputs.makeTensor(of: T.self, shape) { y in
            x.withPointer(to: T.self) { x in
                for outer in 0..<extent.outer {
                    for inner in 0..<extent.inner {
                        var value = start
                        for index in 0..<extent.count {
                            value = combine(value, x[(outer * extent.count + index) * extent.inner + inner])
                        }
                        y[outer * extent.inner + inner] = value
                    }
                }
            }
        }
    }

    private func squareRoot(_ x: Tensor, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        let count = x.count
        guard x.elementType == .float32 else {
            return try TypedMap.unary(x, inputs) { (x: Double) in x.squareRoot() }
        }
        return try inputs.makeTensor(of: Float.self, x.shape) { y in
            x.withPointer(to: Float.self) { Elementwise.apply(.squareRoot, to: $0, into: y, count: count) }
        }
    }
}

extension Reduce.Kind {
    fileprivate var kernel: Reduction {
        switch self {
        case .sum: .sum
        case .mean: .mean
        case .maximum: .maximum
        case .minimum: .minimum
        case .sumOfSquares, .norm: .sumOfSquares
        }
    }

    /// What no elements at all reduce to.
    fileprivate var emptyValue: Float {
        switch self {
        case .sum, .sumOfSquares, .norm: 0
        case .mean: .nan
        case .maximum: -.infinity
        case .minimum: .infinity
        }
    }

    fileprivate func combine(_ a: Double, _ b: Double) -> Double {
        switch self {
        case .sum, .mean: a + b
        case .maximum: a.isNaN || a > b ? a : b
        case .minimum: a.isNaN || a < b ? a : b
        case .sumOfSquares, .norm: a + b * b
        }
    }
}

extension Reduce: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        let axes = try axes.known(inputs)
        let extents = self.axes.extents(x, without: axes)
        return [try inputs.made(x.elementType, extents, content(x, axes, extents))]
    }

    private func content(_ x: ValueFacts, _ axes: [Int], _ extents: [Number]) -> ValueFacts.Content {
        guard let uniform = x.uniform, let scalar = Scalar(uniform) else { return .unknown }
        switch kind {
        case .maximum, .minimum: return .uniform(scalar)
        case .sum:
            // A sum of ones is a length.
            guard Tensor.scalar(1, x.elementType) == uniform,
                let (factor, functions) = ValueFacts.count(axes.map { x.extents[$0] }), functions.count == 1,
                factor == 1, extents.allSatisfy({ $0 == .integer(1) })
            else { return .unknown }
            return .numbers([.length(functions[0])])
        case .mean, .sumOfSquares, .norm: return .unknown
        }
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let axes = try axes.known(packing.known)
        let moving = axes.filter { x.extents[$0] != .integer(1) }
        let squares = kind == .sumOfSquares || kind == .norm
        // Neighbours are reduced in one go; what is apart would be added in another order.
        guard let first = moving.first, let last = moving.last,
            moving.count == 1 || (first...last).allSatisfy({ axes.contains($0) }),
            !squares || axes.count == axes[axes.count - 1] - axes[0] + 1
        else { throw NoRule("axes that are not neighbours are reduced") }
        let rows = try packing.rows(0)
        if let time = x.time, moving == x.timeAxes {
            guard x.elementType == .float32 else {
                throw NoRule("\(x.elementType.rawValue) is reduced over time")
            }
            let result = packing.emit(
                SegmentReduction(operation: kind.kernel),
                [rows, packing.offsets(time)]
            )
            return [kind == .norm ? packing.emit(Unary(.squareRoot), [result]) : result]
        }
        guard !moving.contains(where: { x.timeAxes.contains($0) }) else {
            throw NoRule("positions and features are reduced together")
        }
        var places: [Int] = []
        for axis in moving { places.append(try NodePacking.place(of: axis, in: x)) }
        return [packing.emit(Reduce(kind, ReductionAxes(rows: places)), [rows])]
    }
}
