import TensorCore

/// How Cast and CastLike make numbers of 8, 4 and 2 bits.
struct Narrowing: Sendable {
    private var saturates = true
    private var rounding = NarrowFloat.Rounding.up

    /// The way that holds unless attributes say another.
    init() {}

    init(saturates: Bool) { self.saturates = saturates }

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        saturates = try reader.flag("saturate", default: true)
        guard let name = try reader.string("round_mode") else { return }
        guard let rounding = NarrowFloat.Rounding(rawValue: name) else { throw .attributeValue("round_mode") }
        self.rounding = rounding
    }

    /// Numbers of any type that is not narrow in a type that is: floats are rounded, integers keep their low bits.
    func convert(_ x: Tensor, to target: ElementType, _ inputs: NodeInputs) throws(OperatorError) -> Tensor {
        guard let format = NarrowFloat(target) else {
            let whole = try Cast.convert(x, to: .int64, inputs, input: 0)
            let bits = target.bitCount
            let isSigned = target.widened == .int8
            let bytes = try TypedMap.unary(whole, inputs) { (x: Int64) -> UInt8 in
                let low = UInt8(truncatingIfNeeded: x) & (1 << bits - 1)
                return isSigned && low >> (bits - 1) == 1 ? low | (0xff << bits) : low
            }
            return bytes.reinterpreted(as: target)
        }
        let real = try Cast.convert(x, to: .float64, inputs, input: 0)
        let codes = try TypedMap.unary(real, inputs) { (x: Double) in
            format.bits(of: x, saturates: saturates, rounding: rounding)
        }
        return codes.reinterpreted(as: target)
    }
}
