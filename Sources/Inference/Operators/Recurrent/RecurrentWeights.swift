import Kernels
import TensorCore

/// The weights of an RNN, GRU or LSTM, checked and packed: one layer a direction.
struct RecurrentWeights: Sendable {
    let layers: [RecurrentLayer]

    /// Packs `W [directions, gates * hidden, features]`, `R [directions, gates * hidden, hidden]`, the biases of `W`, then
    /// those of `R`, `[directions, 2 * gates * hidden]`, and `P [directions, 3 * hidden]`; the last two may be absent.
    init(
        _ attributes: RecurrentAttributes,
        weights: Tensor,
        recurrence: Tensor,
        bias: Tensor?,
        peepholes: Tensor?
    ) throws(OperatorError) {
        let (hidden, directions) = (attributes.hiddenSize, attributes.cells.count)
        guard weights.shape.rank == 3 else { throw .unsupportedRank(weights.shape.rank, input: 1) }
        let width = attributes.width
        let features = weights.shape[2]
        try Self.expect(weights, [directions, width, features], input: 1)
        try Self.expect(recurrence, [directions, width, hidden], input: 2)
        if let bias { try Self.expect(bias, [directions, 2 * width], input: 3) }
        if let peepholes {
            guard peepholes.elementType == .float32 else {
                throw .unsupportedElementType(peepholes.elementType, input: 7)
            }
            guard peepholes.count == directions * 3 * hidden else {
                throw .shape(
                    .elementCountMismatch(expected: directions * 3 * hidden, actual: peepholes.count)
                )
            }
        }
        var layers: [RecurrentLayer] = []
        for direction in 0..<directions {
            let layer = try shaped { () throws(ShapeError) in
                try weights.withPointer(to: Float.self) { (w) throws(ShapeError) in
                    try recurrence.withPointer(to: Float.self) { (r) throws(ShapeError) in
                        try Self.withPointer(bias) { (b) throws(ShapeError) in
                            try Self.withPointer(peepholes) { (p) throws(ShapeError) in
                                try RecurrentLayer(
                                    attributes.cells[direction],
                                    features: features,
                                    hidden: hidden,
                                    weights: w + direction * width * features,
                                    recurrence: r + direction * width * hidden,
                                    bias: b.map { $0 + direction * 2 * width },
                                    peepholes: p.map { $0 + direction * 3 * hidden }
                                )
                            }
                        }
                    }
                }
            }
            layers.append(layer)
        }
        self.layers = layers
    }

    private init(layers: [RecurrentLayer]) { self.layers = layers }

    /// The same with the weights of the inputs rounded to bfloat16.
    func narrowed() throws(ShapeError) -> RecurrentWeights {
        var narrow: [RecurrentLayer] = []
        for layer in layers { narrow.append(try layer.narrowed()) }
        return RecurrentWeights(layers: narrow)
    }

    /// The weights of a node whose constants they are; nil if they are not, or do not fit.
    init?(_ attributes: RecurrentAttributes, constants: [Tensor?]) {
        func constant(_ index: Int) -> Tensor? { index < constants.count ? constants[index] : nil }
        guard let weights = constant(1), let recurrence = constant(2) else { return nil }
        try? self.init(
            attributes,
            weights: weights,
            recurrence: recurrence,
            bias: constant(3),
            peepholes: constant(7)
        )
    }

    private static func expect(_ tensor: Tensor, _ dimensions: [Int], input: Int) throws(OperatorError) {
        guard tensor.elementType == .float32 else {
            throw .unsupportedElementType(tensor.elementType, input: input)
        }
        guard tensor.shape.dimensions == dimensions else {
            throw .shape(.notBroadcastable(tensor.shape.dimensions, dimensions))
        }
    }

    private static func withPointer<R>(
        _ tensor: Tensor?,
        _ body: (UnsafePointer<Float>?) throws(ShapeError) -> R
    ) throws(ShapeError) -> R {
        guard let tensor else { return try body(nil) }
        return try tensor.withPointer(to: Float.self) { (pointer) throws(ShapeError) in try body(pointer) }
    }
}
