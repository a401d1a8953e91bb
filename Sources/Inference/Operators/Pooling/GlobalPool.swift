import Kernels
import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// GlobalAveragePool, GlobalMaxPool and GlobalLpPool: each channel of `[B, C, ...]` reduced to one element.
struct GlobalPool: Operator {
    enum Kind: Sendable { case mean, maximum, norm(p: Double) }

    private let kind: Kind

    init(_ kind: Kind, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        self.kind = kind
    }

    init(norm reader: inout AttributeReader) throws(OperatorError) {
        let p = try reader.int("p", default: 2)
        guard p >= 1 else { throw .attributeValue("p") }
        try self.init(.norm(p: Double(p)), &reader)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        guard x.shape.rank >= 2 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        let planes = x.shape[0] * x.shape[1]
        let length = x.shape.elementCount(of: 2..<x.shape.rank)
        let ones = [Int](repeating: 1, count: x.shape.rank - 2)
        let shape = try Shape.checked([x.shape[0], x.shape[1]] + ones)
        switch (x.elementType, kind) {
        case (.float32, .mean), (.float32, .maximum):
            let reduction: Reduction = if case .mean = kind { .mean } else { .maximum }
            return .one(
                try inputs.makeTensor(of: Float.self, shape) { y in
                    x.withPointer(to: Float.self) {
                        reduction.reduce($0, into: y, outer: planes, axis: length, inner: 1)
                    }
                }
            )
        case (.float32, _): return .one(try reduce(of: Float.self, x, shape, length, inputs))
        case (.float64, _): return .one(try reduce(of: Double.self, x, shape, length, inputs))
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
    }

    private func reduce<T: TensorElement & BinaryFloatingPoint>(
        of type: T.Type,
        _ x: Tensor,
        _ shape: Shape,
        _ length: Int,
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        try inputs.makeTensor(of: T.self, shape) { y in
            x.withPointer(to: T.self) { x in
                for plane in 0..<shape.elementCount {
                    let row = UnsafeBufferPointer(start: x + plane * length, count: length)
                    y[plane] = T(summary(row.lazy.map { Double($0) }))
                }
            }
        }
    }

    private func summary(_ values: some Sequence<Double>) -> Double {
        switch kind {
        case .mean:
            let (sum, count) = values.reduce((0.0, 0.0)) { ($0.0 + $1, $0.1 + 1) }
            return sum / count
        case .maximum: return values.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
        case .norm(let p): return pow(values.reduce(0) { $0 + pow($1.magnitude, p) }, 1 / p)
        }
    }
}

extension GlobalPool: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let x = try inputs[0]
        guard x.rank >= 2 else { throw NoRule("no axis of channels") }
        let ones = [Number](repeating: .integer(1), count: x.rank - 2)
        return [try inputs.made(x.elementType, x.extents[..<2] + ones)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let x = try packing.input(0)
        let operation: Reduction
        switch kind {
        case .mean: operation = .mean
        case .maximum: operation = .maximum
        case .norm: throw NoRule("a norm over time")
        }
        guard x.elementType == .float32, let time = x.time, let axis = x.timeAxis, axis >= 2,
            x.featureAxes.allSatisfy({ $0 < 2 })
        else { throw NoRule("not only time is reduced") }
        return [
            packing.emit(
                SegmentReduction(operation: operation),
                [try packing.rows(0), packing.offsets(time)]
            )
        ]
    }
}
