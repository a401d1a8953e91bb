import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// MelWeightMatrix: triangles on the mel scale over the frequencies of a transform, `[dft_length / 2 + 1, bands]`.
///
/// `mel = 2595 log10(1 + hertz / 700)`.
struct MelWeightMatrix: Operator {
    private let target: ElementType

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(5...5)
        target = try SignalWindow.outputType(&reader)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let bands = try inputs[0].integer(input: 0)
        let length = try inputs[1].integer(input: 1)
        let rate = try inputs[2].integer(input: 2)
        for (index, value) in [bands, length, rate].enumerated()
        where !(1..<WindowAttributes.limit).contains(value) {
            throw .inputValue(input: index)
        }
        let low = try hertz(3, inputs)
        let high = try hertz(4, inputs)
        let bins = length / 2 + 1
        let shape = try Shape.checked([bins, bands])
        var weights = try inputs.makeTensor(.float64, shape)
        let (first, last) = (2595 * log10(1 + low / 700), 2595 * log10(1 + high / 700))
        let step = (last - first) / Double(bands + 2)
        var edges: [Int] = []
        for band in 0..<bands + 2 {
            let frequency = 700 * (pow(10, (first + Double(band) * step) / 2595) - 1)
            let bin = (Double(length + 1) * frequency / Double(rate)).rounded(.down)
            // A frequency above half the rate has no bin.
            guard bin >= 0, bin < Double(bins) else { throw .inputValue(input: 4) }
            edges.append(Int(bin))
        }
        weights.withMutablePointer(to: Double.self) { weights in
            weights.update(repeating: 0, count: shape.elementCount)
            for band in 0..<bands {
                let (left, center, right) = (edges[band], edges[band + 1], edges[band + 2])
                weights[center * bands + band] = 1
                for bin in left..<max(left, center) {
                    weights[bin * bands + band] = Double(bin - left) / Double(center - left)
                }
                for bin in center..<max(center, right) {
                    weights[bin * bands + band] = Double(right - bin) / Double(right - center)
                }
            }
        }
        return .one(try Cast.convert(weights, to: target, inputs, input: 0))
    }

    private func hertz(_ index: Int, _ inputs: NodeInputs) throws(OperatorError) -> Double {
        let tensor = try inputs[index]
        guard tensor.elementType == .float32 || tensor.elementType == .float64 else {
            throw .unsupportedElementType(tensor.elementType, input: index)
        }
        guard tensor.count == 1 else { throw .inputValue(input: index) }
        let value = try Cast.convert(tensor, to: .float64, inputs, input: index).array(of: Double.self)[0]
        guard value.isFinite, value >= 0 else { throw .inputValue(input: index) }
        return value
    }
}
