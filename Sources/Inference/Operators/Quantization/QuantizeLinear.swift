import ONNXGraph
import TensorCore

/// QuantizeLinear: `y = saturate(round(x / scale) + zero point)`, halves rounded to even, in 8 or 16 bits.
///
/// The quotient is computed in float32, of int32 numbers in Double; `precision` asks for no more. Types of 4 and 2 bits
/// and floats of 8 are not among the types here.
struct QuantizeLinear: Operator, TakingAllTypes {
    private let attributes: QuantizationAttributes
    /// nil: the zero point's type, or uint8.
    private let target: ElementType?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        attributes = try QuantizationAttributes(&reader)
        // Only floats of 8 bits can be told not to saturate.
        if reader.opset >= 19 { _ = try reader.flag("saturate", default: true) }
        var target: ElementType?
        if reader.opset >= 21, let code = try reader.int("output_dtype"), code != 0 {
            target = ElementType(onnxCode: Int64(code))
            guard let target, [.int8, .uint8, .int16, .uint16].contains(target) else {
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
        let work = QuantizeWork(x: quotient, grid: grid, scales: scales, zeros: zeros, inputs: inputs)
        return .one(try work.run(for: target ?? zeroType ?? .uint8, input: 2))
    }
}

private struct QuantizeWork: QuantizedWork {
    enum Source { case floats(Tensor), integers(Tensor) }

    let x: Source
    let grid: QuantizationGrid
    let scales: [Float]
    let zeros: [Double]?
    let inputs: NodeInputs

    func run<T: TensorElement & FixedWidthInteger>(_ type: T.Type) throws(OperatorError) -> Tensor {
        switch x {
        case .floats(let x):
            return try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withElements(of: Float.self) { x in
                    for index in x.indices {
                        let place = grid.parameter(of: index)
                        y[index] = T(quantizing: Double(x[index] / scales[place]), zero: zeros?[place] ?? 0)
                    }
                }
            }
        case .integers(let x):
            return try inputs.makeTensor(of: T.self, x.shape) { y in
                x.withElements(of: Int32.self) { x in
                    for index in x.indices {
                        let place = grid.parameter(of: index)
                        let quotient = Double(x[index]) / Double(scales[place])
                        y[index] = T(quantizing: quotient, zero: zeros?[place] ?? 0)
                    }
                }
            }
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
        let values = try x.quantized(input: 0)
        let y = try inputs.makeTensor(of: Float.self, x.shape) { y in
            for index in values.indices {
                let place = grid.parameter(of: index)
                y[index] = Float(Double(values[index]) - (zeros?[place] ?? 0)) * scales[place]
            }
        }
        let scaleType = try inputs[1].elementType
        return .one(try Cast.convert(y, to: target ?? scaleType, inputs, input: 0))
    }
}
