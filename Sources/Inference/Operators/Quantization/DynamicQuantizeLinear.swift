import TensorCore

/// DynamicQuantizeLinear: a float32 tensor in uint8, with the scale and the zero point that its range, 0 included,
/// asks for.
///
/// `scale = (max - min) / 255`, 1 / 255 if there is no range; `zero point = saturate(round(-min / scale))`.
struct DynamicQuantizeLinear: Operator {
    init(_ reader: inout AttributeReader) throws(OperatorError) { try reader.expectInputs(1...1) }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.float32(0)
        let (low, high) = x.withElements(of: Float.self) { x in
            x.reduce((Float(0), Float(0))) { (Swift.min($0.0, $1), Swift.max($0.1, $1)) }
        }
        let scale = (low == high ? 1 : high - low) / 255
        let zero = UInt8(quantizing: Double(-low / scale), zero: 0)
        let y = try TypedMap.unary(x, inputs) { (x: Float) in
            UInt8(quantizing: Double(x / scale), zero: Double(zero))
        }
        return .many([y, Tensor(scalar: scale), Tensor(scalar: zero)])
    }
}
