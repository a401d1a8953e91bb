import ONNXGraph
import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// HannWindow, HammingWindow and BlackmanWindow: weights `a - b cos(2 pi i / N) + c cos(4 pi i / N)` of a frame.
///
/// N is the number of weights, without `periodic` one less. A single symmetric weight is 1.
struct SignalWindow: Operator {
    enum Kind: Sendable { case hann, hamming, blackman }

    private let kind: Kind
    private let isPeriodic: Bool
    private let target: ElementType

    init(_ kind: Kind, _ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        self.kind = kind
        isPeriodic = try reader.flag("periodic", default: true)
        target = try Self.outputType(&reader)
    }

    /// The type that the attribute `output_datatype` names, float32 if it is not there.
    static func outputType(_ reader: inout AttributeReader) throws(OperatorError) -> ElementType {
        let code = try reader.int("output_datatype", default: 1)
        guard let type = ElementType(onnxCode: Int64(code)), type != .bool else {
            throw .attributeValue("output_datatype")
        }
        return type
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let count = try inputs[0].integer(input: 0)
        guard count >= 0 else { throw .inputValue(input: 0) }
        let period = Double(isPeriodic ? count : count - 1)
        let weights = try inputs.makeTensor(of: Double.self, Shape.checked([count])) { weights in
            for index in 0..<count {
                weights[index] = period == 0 ? 1 : weight(2 * Double.pi * Double(index) / period)
            }
        }
        return .one(try Cast.convert(weights, to: target, inputs, input: 0))
    }

    private func weight(_ angle: Double) -> Double {
        switch kind {
        case .hann: 0.5 - 0.5 * cos(angle)
        case .hamming: 25.0 / 46 - 21.0 / 46 * cos(angle)
        case .blackman: 0.42 - 0.5 * cos(angle) + 0.08 * cos(2 * angle)
        }
    }
}
