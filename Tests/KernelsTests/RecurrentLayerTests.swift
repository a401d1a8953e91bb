import Foundation
import Kernels
import Testing

/// Sequences of random rows, packed one after the other, and a layer of random weights for them.
private struct Work {
    let kind: RecurrentCell.Kind
    let features = 5
    let hidden = 19
    let lengths: [Int]
    let weights: [Float]
    let recurrence: [Float]
    let bias: [Float]
    let peepholes: [Float]
    let x: [Float]
    let firstHidden: [Float]
    let firstCell: [Float]
    let clip: Float?

    init(_ kind: RecurrentCell.Kind, lengths: [Int], clip: Float? = nil, seed: UInt64 = 3) {
        self.kind = kind
        self.lengths = lengths
        self.clip = clip
        var numbers = Numbers(seed: seed)
        let width = kind.gateCount * hidden
        weights = numbers.array(width * features)
        recurrence = numbers.array(width * hidden)
        bias = numbers.array(2 * width)
        peepholes = numbers.array(3 * hidden)
        x = numbers.array(lengths.reduce(0, +) * features)
        firstHidden = numbers.array(lengths.count * hidden)
        firstCell = numbers.array(lengths.count * hidden)
    }

    static func standard(_ kind: RecurrentCell.Kind) -> [RecurrentCell.Activation] {
        switch kind {
        case .rnn: [.kernel(.tanh)]
        case .gru: [.kernel(.sigmoid), .kernel(.tanh)]
        case .lstm: [.kernel(.sigmoid), .kernel(.tanh), .kernel(.tanh)]
        }
    }

    func layer(_ activations: [RecurrentCell.Activation]? = nil) throws -> RecurrentLayer {
        let cell = try #require(
            RecurrentCell(kind, activations: activations ?? Self.standard(kind), clip: clip)
        )
        return try RecurrentLayer(
            cell,
            features: features,
            hidden: hidden,
            weights: weights,
            recurrence: recurrence,
            bias: bias,
            peepholes: peepholes
        )
    }

    /// All states packed, then the last hidden and cell states; only the sequences in `chosen`, in this order.
    func run(_ layer: RecurrentLayer, isReversed: Bool, chosen: [Int]? = nil) -> [Float] {
        let chosen = chosen ?? Array(lengths.indices)
        let offsets = self.lengths.indices.map { self.lengths[..<$0].reduce(0, +) }
        let lengths = chosen.map { self.lengths[$0] }
        let rows = lengths.reduce(0, +)
        let x = chosen.flatMap {
            self.x[(offsets[$0] * features)..<((offsets[$0] + self.lengths[$0]) * features)]
        }
        func states(_ all: [Float]) -> [Float] {
            chosen.flatMap { all[($0 * hidden)..<(($0 + 1) * hidden)] }
        }
        var (h, c) = (states(firstHidden), states(firstCell))
        var y = [Float](repeating: .nan, count: rows * hidden)
        h.withUnsafeMutableBufferPointer { h in
            c.withUnsafeMutableBufferPointer { c in
                y.withUnsafeMutableBufferPointer { y in
                    guard let h = h.baseAddress, let y = y.baseAddress else { return }
                    layer.run(
                        x,
                        StepRows(packed: lengths, width: features),
                        lengths: lengths,
                        isReversed: isReversed,
                        states: RecurrentLayer.States(hidden: h, cell: c.baseAddress),
                        output: (y, StepRows(packed: lengths, width: hidden))
                    )
                }
            }
        }
        return y + h + c
    }

    /// The last hidden states in Double, written out as the formulas are.
    func oracle(isReversed: Bool) -> [Double] {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        func cut(_ x: Double) -> Double { clip.map { min(max(x, -Double($0)), Double($0)) } ?? x }
        let width = kind.gateCount * hidden
        var result: [Double] = []
        var offset = 0
        for (sequence, length) in lengths.enumerated() {
            var h = (0..<hidden).map { Double(firstHidden[sequence * hidden + $0]) }
            var c = (0..<hidden).map { Double(firstCell[sequence * hidden + $0]) }
            for step in 0..<length {
                let row = offset + (isReversed ? length - 1 - step : step)
                func input(_ gate: Int, _ j: Int) -> Double {
                    (0..<features).reduce(Double(bias[gate * hidden + j])) {
                        $0 + Double(weights[(gate * hidden + j) * features + $1])
                            * Double(x[row * features + $1])
                    }
                }
                func state(_ gate: Int, _ j: Int, _ h: [Double]) -> Double {
                    (0..<hidden).reduce(Double(bias[width + gate * hidden + j])) {
                        $0 + Double(recurrence[(gate * hidden + j) * hidden + $1]) * h[$1]
                    }
                }
                let before = h
                switch kind {
                case .rnn: h = (0..<hidden).map { tanh(cut(input(0, $0) + state(0, $0, before))) }
                case .gru(let after):
                    let z = (0..<hidden).map { sigmoid(cut(input(0, $0) + state(0, $0, before))) }
                    let r = (0..<hidden).map { sigmoid(cut(input(1, $0) + state(1, $0, before))) }
                    let masked = (0..<hidden).map { r[$0] * before[$0] }
                    h = (0..<hidden).map { j in
                        let sum = after ? r[j] * state(2, j, before) : state(2, j, masked)
                        return (1 - z[j]) * tanh(cut(input(2, j) + sum)) + z[j] * before[j]
                    }
                case .lstm(let couples):
                    for j in 0..<hidden {
                        func gate(_ gate: Int, _ peephole: Int?) -> Double {
                            cut(
                                input(gate, j) + state(gate, j, before)
                                    + (peephole.map { Double(peepholes[$0 * hidden + j]) * c[j] } ?? 0)
                            )
                        }
                        let i = sigmoid(gate(0, 0))
                        let f = couples ? 1 - i : sigmoid(gate(2, 2))
                        c[j] = f * c[j] + i * tanh(gate(3, nil))
                        h[j] = sigmoid(gate(1, 1)) * tanh(c[j])
                    }
                }
            }
            result += h
            offset += length
        }
        return result
    }
}

struct RecurrentLayerTests {
    static let kinds: [RecurrentCell.Kind] = [
        .rnn, .gru(resetsAfterProduct: false), .gru(resetsAfterProduct: true), .lstm(couplesGates: false),
        .lstm(couplesGates: true),
    ]

    @Test(arguments: kinds, [false, true])
    func `a layer agrees with its formulas in Double`(kind: RecurrentCell.Kind, isReversed: Bool) throws {
        for clip in [nil, Float(0.3)] {
            let work = Work(kind, lengths: [3, 0, 7, 1, 3], clip: clip)
            let rows = work.lengths.reduce(0, +)
            let result = work.run(try work.layer(), isReversed: isReversed)
            let last = result[(rows * work.hidden)..<((rows + 5) * work.hidden)]
            let worst = zip(last, work.oracle(isReversed: isReversed)).map { abs(Double($0) - $1) }.max() ?? 0
            #expect(worst < 1e-5)
        }
    }

    @Test(arguments: kinds, [false, true])
    func `the bits of a sequence do not depend on its neighbours`(kind: RecurrentCell.Kind, isReversed: Bool)
        throws
    {
        // The long ones take more steps than are made ready at once.
        let work = Work(kind, lengths: [4, 1, 9, 4, 17, 700, 9, 30, 5, 6, 900, 8, 1, 701])
        let layer = try work.layer()
        let together = work.run(layer, isReversed: isReversed)
        let (rows, count) = (work.lengths.reduce(0, +), work.lengths.count)
        var offset = 0
        for (sequence, length) in work.lengths.enumerated() {
            let alone = work.run(layer, isReversed: isReversed, chosen: [sequence])
            let part =
                together[(offset * work.hidden)..<((offset + length) * work.hidden)]
                + together[((rows + sequence) * work.hidden)..<((rows + sequence + 1) * work.hidden)]
                + together[
                    ((rows + count + sequence) * work.hidden)..<((rows + count + sequence + 1) * work.hidden)
                ]
            #expect(alone.hasBits(of: Array(part)), "sequence \(sequence)")
            offset += length
        }
    }

    @Test(arguments: kinds)
    func `functions that run number by number agree with those that run fused`(kind: RecurrentCell.Kind)
        throws
    {
        let work = Work(kind, lengths: [6, 2, 3], clip: 1.5)
        let plain = Work.standard(kind).map { activation -> RecurrentCell.Activation in
            guard case .kernel(.sigmoid) = activation else { return .formula { Float(tanh(Double($0))) } }
            return .formula { Float(1 / (1 + exp(-Double($0)))) }
        }
        let fused = work.run(try work.layer(), isReversed: true)
        let slow = work.run(try work.layer(plain), isReversed: true)
        #expect(zip(fused, slow).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func `a cell needs as many functions as its kind has`() {
        #expect(RecurrentCell(.rnn, activations: []) == nil)
        #expect(RecurrentCell(.rnn, activations: [.kernel(.tanh)], clip: -1) == nil)
    }
}
