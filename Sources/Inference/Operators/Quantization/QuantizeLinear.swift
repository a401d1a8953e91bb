import ONNXGraph
import TensorCore

/// QuantizeLinear: `y = saturate(round(x / scale) + zero point)`, halves rounded to even, in 2 to 16 bits, or the nearest
/// float of 8 or 4 bits.
///
/// The quotient is computed in float32, of int32 numbers in Double; `precision` asks for no more.
struct QuantizeLinear: Operator, TakingAllTypes {
    private let attributes: QuantizationAttributes
    /// nil: the zero point's type, or uint8.
    private let target: ElementType?
    private let saturates: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        attributes = try QuantizationAttributes(&reader)
        // Only floats of 8 bits can be told not to saturate.
        saturates = reader.opset < 19 ? true : try reader.flag("saturate", default: true)
        var target: ElementType?
        if reader.opset >= 21, let code = try reader.int("output_dtype"), code != 0 {
            target = ElementType(onnxCode: Int64(code))
            guard let target, target.canBeQuantized else {
                throw .attributeValue("output_dtype")
            }
        }
        self.target = target
        if reader.opset >= 23, let precision = try reader.int("precision"),
            ![0, 1, 10, 16].contains(precision)
        {
            throw .attributeValue("precision")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let (grid, scales, zeros) = try attributes.parameters(x, inputs)
        let zeroType = inputs.optional(2)?.elementType
        if let target, let zeroType, target != zeroType { throw .elementTypesDiffer(target, zeroType) }
        let quotient: QuantizeWork.Source
        switch x.elementType {
        case .float32, .float16, .bfloat16:
            quotient = .floats(try Cast.convert(x, to: .float32, inputs, input: 0))
        case .int32: quotient = .integers(x)
        default: throw .unsupportedElementType(x.elementType, input: 0)
        }
        let type = target ?? zeroType ?? .uint8
        guard type.canBeQuantized else { throw .unsupportedElementType(type, input: 2) }
        let work = QuantizeWork(
            x: quotient,
            grid: grid,
            scales: scales,
            zeros: zeros,
            bounds: type.narrowRange,
            inputs: inputs
        )
        guard let format = NarrowFloat(type) else {
            let whole = try work.run(for: type, input: 2)
            return .one(whole.elementType == type ? whole : whole.reinterpreted(as: type))
        }
        return .one(try work.floats(format, saturates: saturates).reinterpreted(as: type))
    }
}

private struct QuantizeWork: QuantizedWork {
    enum Source { case floats(Tensor), integers(Tensor) }

    let x: Source
    let grid: QuantizationGrid
    let scales: [Float]
    let zeros: [Double]?
    /// The numbers of a type of 4 or 2 bits.
    let bounds: ClosedRange<Int>?
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        switch x {
        case .floats(let x):
            return try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withElements(of: Float.self) { x in
                    for index in x.indices {
                        let place = grid.parameter(of: index)
                        y[index] = whole(Double(x[index] / scales[place]), zeros?[place] ?? 0)
                    }
                }
            }
        case .integers(let x):
            return try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withElements(of: Int32.self) { x in
                    for index in x.indices {
                        let place = grid.parameter(of: index)
                        let quotient = Double(x[index]) / Double(scales[place])
                        y[index] = whole(quotient, zeros?[place] ?? 0)
                    }
                }
            }
        }
    }

    @inline(__always)
    private func whole<T: FixedWidthInteger>(_ quotient: Double, _ zero: Double) -> T {
        let number = T(quantizing: quotient, zero: zero)
        guard let bounds else { return number }
        return T(truncatingIfNeeded: min(max(Int(number), bounds.lowerBound), bounds.upperBound))
    }

    /// The bits of the nearest floats of a narrow type, as uint8.
    func floats(_ format: NarrowFloat, saturates: Bool) throws(OperatorError) -> Tensor {
        let x: Tensor
        switch self.x {
        case .floats(let tensor): x = tensor
        case .integers(let tensor): x = try Cast.convert(tensor, to: .float32, inputs, input: 0)
        }
        return try inputs.makeTensor(of: UInt8.self, x.shape) { y in
            x.withElements(of: Float.self) { x in
                for index in x.indices {
                    let place = grid.parameter(of: index)
                    let quotient = Double(x[index] / scales[place]) + (zeros?[place] ?? 0)
                    y[index] = format.bits(of: quotient, saturates: saturates)
                }
            }
        }
    }
}

extension ElementType {
    /// Whether QuantizeLinear gives numbers of the type.
    fileprivate var canBeQuantized: Bool {
        switch self {
        case .int8, .uint8, .int16, .uint16: true
        default: isNarrow && self != .float8e8m0
        }
    }
}

/// DequantizeLinear: `y = (x - zero point) * scale`, computed in float32, of the scale's type or `output_dtype`.
struct DequantizeLinear: Operator, TakingAllTypes {
    private let attributes: QuantizationAttributes
    private let target: ElementType?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        attributes = try QuantizationAttributes(&reader)
        var target: ElementType?
        if reader.opset >= 23, let code = try reader.int("output_dtype"), code != 0 {
            target = ElementType(onnxCode: Int64(code))
            guard let target, target == .float32 || target.isHalf else {
                throw .attributeValue("output_dtype")
            }
        }
        self.target = target
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        let (grid, scales, zeros) = try attributes.parameters(x, inputs)
        if let zero = inputs.optional(2), zero.elementType != x.elementType {
            throw .elementTypesDiffer(x.elementType, zero.elementType)
        }
        let values = try x.quantizedNumbers(input: 0)
        let y = try inputs.makeTensor(of: Float.self, x.shape) { y in
            for index in values.indices {
                let place = grid.parameter(of: index)
                y[index] = Float(values[index] - (zeros?[place] ?? 0)) * scales[place]
            }
        }
        let scaleType = try inputs[1].elementType
        return .one(try Cast.convert(y, to: target ?? scaleType, inputs, input: 0))
    }
}
