import Kernels
import TensorCore

/// One evaluation of an RNN, GRU or LSTM in float64: plain loops, one sequence and step after the other.
///
/// Shapes and layouts are those of ``RecurrentRun``.
struct DoubleRecurrence {
    private let attributes: RecurrentAttributes
    private let inputs: NodeInputs
    private let x: Tensor
    private let weights: Tensor
    private let recurrence: Tensor
    private let bias: Tensor?
    private let peepholes: Tensor?
    private let features: Int
    private let steps: Int
    private let batch: Int
    /// The number of steps of each sequence, each in `0 ... steps`.
    private let lengths: [Int]

    /// Checks the inputs; all numbers are float64.
    init(_ attributes: RecurrentAttributes, _ inputs: NodeInputs) throws(OperatorError) {
        self.attributes = attributes
        self.inputs = inputs
        x = try inputs[0]
        guard x.shape.rank == 3 else { throw .unsupportedRank(x.shape.rank, input: 0) }
        steps = x.shape[attributes.isBatchFirst ? 1 : 0]
        batch = x.shape[attributes.isBatchFirst ? 0 : 1]
        features = x.shape[2]
        let (hidden, directions, width) = (
            attributes.hiddenSize, attributes.cells.count, attributes.width
        )
        weights = try Self.checked(1, [directions, width, features], inputs)
        recurrence = try Self.checked(2, [directions, width, hidden], inputs)
        bias = inputs.optional(3) == nil ? nil : try Self.checked(3, [directions, 2 * width], inputs)
        peepholes =
            attributes.hasCells && inputs.optional(7) != nil
            ? try Self.checked(7, [directions, 3 * hidden], inputs) : nil
        let limit = steps
        let lengths = try inputs.integers(4) ?? [Int](repeating: limit, count: batch)
        guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= limit }) else {
            throw .inputValue(input: 4)
        }
        self.lengths = lengths
    }

    private static func checked(
        _ index: Int,
        _ dimensions: [Int],
        _ inputs: NodeInputs
    ) throws(OperatorError) -> Tensor {
        let tensor = try inputs.tensor(index, of: .float64)
        guard tensor.shape.dimensions == dimensions else {
            throw .shape(.notBroadcastable(tensor.shape.dimensions, dimensions))
        }
        return tensor
    }

    /// `Y` and the last states, `Y_h` and, where the node has cells, `Y_c`.
    func evaluate() throws(OperatorError) -> NodeOutputs {
        let (hidden, directions) = (attributes.hiddenSize, attributes.cells.count)
        let yShape =
            attributes.isBatchFirst
            ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
        let stateShape = attributes.isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
        var y = try inputs.makeTensor(.float64, Shape.checked(yShape))
        var h = try state(5, stateShape)
        var c = try state(6, attributes.hasCells ? stateShape : [0])
        let count = y.count
        y.withMutablePointer(to: Double.self) { y in
            y.update(repeating: 0, count: count)
            h.withMutablePointer(to: Double.self) { h in
                c.withMutablePointer(to: Double.self) { c in
                    for direction in 0..<directions {
                        let cell = DoubleCell(
                            attributes,
                            direction: direction,
                            features: features,
                            weights: part(weights, direction),
                            recurrence: part(recurrence, direction),
                            bias: bias.map { part($0, direction) },
                            peepholes: peepholes.map { part($0, direction) }
                        )
                        for sequence in 0..<batch { run(cell, direction, sequence, y, h, c) }
                    }
                }
            }
        }
        return .many(attributes.hasCells ? [y, h, c] : [y, h])
    }

    /// All steps of a sequence in one direction.
    private func run(
        _ cell: DoubleCell,
        _ direction: Int,
        _ sequence: Int,
        _ y: UnsafeMutablePointer<Double>,
        _ h: UnsafeMutablePointer<Double>,
        _ c: UnsafeMutablePointer<Double>
    ) {
        let (hidden, directions) = (attributes.hiddenSize, attributes.cells.count)
        let place =
            attributes.isBatchFirst ? sequence * directions + direction : direction * batch + sequence
        var state = Array(UnsafeBufferPointer(start: h + place * hidden, count: hidden))
        var cells =
            attributes.hasCells
            ? Array(UnsafeBufferPointer(start: c + place * hidden, count: hidden)) : []
        x.withPointer(to: Double.self) { x in
            for index in 0..<lengths[sequence] {
                let step = attributes.isReversed[direction] ? lengths[sequence] - 1 - index : index
                let (row, result) =
                    attributes.isBatchFirst
                    ? (sequence * steps + step, (sequence * steps + step) * directions + direction)
                    : (step * batch + sequence, (step * directions + direction) * batch + sequence)
                cell.step(x + row * features, &state, &cells)
                (y + result * hidden).update(from: state, count: hidden)
            }
        }
        (h + place * hidden).update(from: state, count: hidden)
        if attributes.hasCells { (c + place * hidden).update(from: cells, count: hidden) }
    }

    /// An initial state, or zeros.
    private func state(_ index: Int, _ dimensions: [Int]) throws(OperatorError) -> Tensor {
        guard dimensions.count == 3, inputs.optional(index) != nil else {
            return Tensor(repeating: Double(0), shape: try Shape.checked(dimensions))
        }
        return try Self.checked(index, dimensions, inputs)
    }

    /// The elements of one direction.
    private func part(_ tensor: Tensor, _ direction: Int) -> [Double] {
        tensor.slice(direction..<direction + 1).array(of: Double.self)
    }
}

/// One direction's weights, and a step with them.
private struct DoubleCell {
    private let kind: RecurrentCell.Kind
    private let functions: [RecurrentActivation]
    private let clip: Double?
    private let hidden: Int
    private let width: Int
    private let features: Int
    /// `[width, features]`.
    private let weights: [Double]
    /// `[width, hidden]`.
    private let recurrence: [Double]
    /// The biases of the weights, then those of the recurrence, `[2 * width]`.
    private let bias: [Double]
    /// Of the gates i, o and f, `[3 * hidden]`.
    private let peepholes: [Double]

    init(
        _ attributes: RecurrentAttributes,
        direction: Int,
        features: Int,
        weights: [Double],
        recurrence: [Double],
        bias: [Double]?,
        peepholes: [Double]?
    ) {
        kind = attributes.cells[direction].kind
        functions = attributes.activations[direction]
        clip = attributes.cells[direction].clip.map(Double.init)
        hidden = attributes.hiddenSize
        width = attributes.width
        self.features = features
        self.weights = weights
        self.recurrence = recurrence
        self.bias = bias ?? [Double](repeating: 0, count: 2 * width)
        self.peepholes = peepholes ?? [Double](repeating: 0, count: 3 * hidden)
    }

    /// Takes a step.
    func step(_ x: UnsafePointer<Double>, _ h: inout [Double], _ c: inout [Double]) {
        let before = h
        switch kind {
        case .rnn:
            for unit in 0..<hidden { h[unit] = apply(0, input(unit, x) + state(unit, before)) }
        case .gru(let resetsAfterProduct):
            let reset = (0..<hidden).map {
                apply(0, input(hidden + $0, x) + state(hidden + $0, before))
            }
            let masked = zip(reset, before).map { $0 * $1 }
            for unit in 0..<hidden {
                let update = apply(0, input(unit, x) + state(unit, before))
                let row = 2 * hidden + unit
                let sum = resetsAfterProduct ? reset[unit] * state(row, before) : state(row, masked)
                let fresh = apply(1, input(row, x) + sum)
                h[unit] = (1 - update) * fresh + update * before[unit]
            }
        case .lstm(let couplesGates):
            for unit in 0..<hidden {
                func gate(_ number: Int) -> Double {
                    input(number * hidden + unit, x) + state(number * hidden + unit, before)
                }
                let enters = apply(0, gate(0) + peepholes[unit] * c[unit])
                let stays =
                    couplesGates ? 1 - enters : apply(0, gate(2) + peepholes[2 * hidden + unit] * c[unit])
                c[unit] = stays * c[unit] + enters * apply(1, gate(3))
                let leaves = apply(0, gate(1) + peepholes[hidden + unit] * c[unit])
                h[unit] = leaves * functions[2].double(c[unit])
            }
        }
    }

    /// What the input gives to a gate's unit.
    private func input(_ row: Int, _ x: UnsafePointer<Double>) -> Double {
        var sum = bias[row]
        for feature in 0..<features { sum += weights[row * features + feature] * x[feature] }
        return sum
    }

    /// What a state gives to a gate's unit.
    private func state(_ row: Int, _ h: [Double]) -> Double {
        var sum = bias[width + row]
        for unit in 0..<hidden { sum += recurrence[row * hidden + unit] * h[unit] }
        return sum
    }

    private func apply(_ function: Int, _ sum: Double) -> Double {
        guard let clip, !sum.isNaN else { return functions[function].double(sum) }
        return functions[function].double(min(max(sum, -clip), clip))
    }
}
