import Foundation
import ONNXGraph
import TensorCore
import TestSupport
import Testing

@testable import Inference

/// RNN, GRU and LSTM in float64 against their formulas written out, and near what float32 gives.
struct DoubleRecurrenceTests {
    struct Cell: Sendable, CustomTestStringConvertible {
        let kind: String
        let gates: Int
        var more: [String: Attribute.Value] = [:]
        var functions: [@Sendable (Double) -> Double] = [sigmoid, tanh, tanh]
        var clip = Double.infinity
        var hasPeepholes = false
        var testDescription: String { "\(kind) \(more.keys.sorted()) \(hasPeepholes ? "peepholes" : "")" }
    }

    private static let sigmoid: @Sendable (Double) -> Double = { 1 / (1 + exp(-$0)) }
    private static let tanh: @Sendable (Double) -> Double = { Foundation.tanh($0) }

    static let cells = [
        Cell(kind: "RNN", gates: 1, functions: [tanh]), Cell(kind: "GRU", gates: 3),
        Cell(kind: "GRU", gates: 3, more: ["linear_before_reset": .int(1)]), Cell(kind: "LSTM", gates: 4),
        Cell(kind: "LSTM", gates: 4, hasPeepholes: true),
        Cell(kind: "LSTM", gates: 4, more: ["input_forget": .int(1)], hasPeepholes: true),
        Cell(kind: "LSTM", gates: 4, more: ["clip": .float(0.5)], clip: 0.5),
        Cell(
            kind: "RNN",
            gates: 1,
            more: ["activations": .strings(["Elu"]), "activation_alpha": .floats([0.5])],
            functions: [{ $0 < 0 ? 0.5 * (exp($0) - 1) : $0 }]
        ),
        Cell(
            kind: "GRU",
            gates: 3,
            more: [
                "activations": .strings(["HardSigmoid", "Affine"]), "activation_alpha": .floats([0.25, 2]),
            ],
            functions: [{ max(0, min(1, 0.25 * $0 + 0.5)) }, { 2 * $0 }]
        ),
    ]

    /// The numbers of a node, by ONNX's names.
    private struct Numbers {
        let x, w, r, b, h, c, p: [Double]
    }

    /// A matrix's rows times a vector.
    private func product(_ matrix: ArraySlice<Double>, _ vector: [Double]) -> [Double] {
        let first = matrix.startIndex
        return (0..<(vector.isEmpty ? 0 : matrix.count / vector.count)).map { row in
            zip(matrix[(first + row * vector.count)...], vector).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }

    /// The state after each step of a sequence, and the last cell.
    private func states(
        _ cell: Cell,
        _ numbers: Numbers,
        steps: [[Double]],
        hidden: Int,
        direction: Int,
        state: Int
    ) -> (states: [[Double]], cell: [Double]) {
        let width = cell.gates * hidden
        func part(_ values: [Double], _ size: Int) -> ArraySlice<Double> {
            values[direction * size..<(direction + 1) * size]
        }
        let features = steps.first?.count ?? 0
        let (w, r) = (part(numbers.w, width * features), part(numbers.r, width * hidden))
        let b = Array(part(numbers.b, 2 * width))
        let p = Array(part(numbers.p, 3 * hidden))
        var h = Array(numbers.h[state * hidden..<(state + 1) * hidden])
        var c = Array(numbers.c[state * hidden..<(state + 1) * hidden])
        func f(_ index: Int, _ x: Double) -> Double {
            cell.functions[index](max(-cell.clip, min(cell.clip, x)))
        }
        var all: [[Double]] = []
        for x in steps {
            let wx = zip(product(w, x), b).map { $0 + $1 }
            let rh = zip(product(r, h), b[width...]).map { $0 + $1 }
            let sums = zip(wx, rh).map { $0 + $1 }
            func gate(_ index: Int) -> [Double] { Array(sums[index * hidden..<(index + 1) * hidden]) }
            switch cell.kind {
            case "RNN": h = sums.map { f(0, $0) }
            case "GRU":
                let (z, reset) = (gate(0).map { f(0, $0) }, gate(1).map { f(0, $0) })
                let inner: [Double]
                if cell.more["linear_before_reset"] == nil {
                    let masked = zip(reset, h).map { $0 * $1 }
                    let rows = r[(r.startIndex + 2 * hidden * hidden)...]
                    inner = zip(product(rows, masked), b[(width + 2 * hidden)...]).map { $0 + $1 }
                } else {
                    inner = zip(reset, rh[(2 * hidden)...]).map { $0 * $1 }
                }
                let fresh = zip(wx[(2 * hidden)...], inner).map { f(1, $0 + $1) }
                h = (0..<hidden).map { (1 - z[$0]) * fresh[$0] + z[$0] * h[$0] }
            default:
                let enters = (0..<hidden).map { f(0, gate(0)[$0] + p[$0] * c[$0]) }
                let stays =
                    cell.more["input_forget"] == nil
                    ? (0..<hidden).map { f(0, gate(2)[$0] + p[2 * hidden + $0] * c[$0]) }
                    : enters.map { 1 - $0 }
                c = (0..<hidden).map { stays[$0] * c[$0] + enters[$0] * f(1, gate(3)[$0]) }
                // The function of the cell is not of a sum of a gate, and is not clipped.
                h = (0..<hidden).map { f(0, gate(1)[$0] + p[hidden + $0] * c[$0]) * cell.functions[2](c[$0]) }
            }
            all.append(h)
        }
        return (all, c)
    }

    @Test(arguments: cells, ["forward", "reverse", "bidirectional"])
    func `every step is what the formulas say`(_ cell: Cell, _ direction: String) throws {
        let (steps, batch, features, hidden) = (4, 3, 2, 3)
        let reversed = direction == "bidirectional" ? [false, true] : [direction == "reverse"]
        let (directions, width) = (reversed.count, cell.gates * hidden)
        let lengths = [4, 0, 2]
        var random = SplitMix(seed: 12)
        for isBatchFirst in [false, true] {
            let states = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
            let narrow = try [
                isBatchFirst ? [batch, steps, features] : [steps, batch, features],
                [directions, width, features], [directions, width, hidden], [directions, 2 * width], states,
                states, [directions, 3 * hidden],
            ].map { try Tensor.random($0, &random) }
            var attributes = cell.more
            attributes["hidden_size"] = .int(Int64(hidden))
            attributes["direction"] = .string(direction)
            attributes["layout"] = .int(isBatchFirst ? 1 : 0)
            if directions == 2 {
                if case .strings(let names)? = attributes["activations"] {
                    attributes["activations"] = .strings(names + names)
                }
                if case .floats(let alphas)? = attributes["activation_alpha"] {
                    attributes["activation_alpha"] = .floats(alphas + alphas)
                }
            }
            let counts = try Tensor(lengths.map { Int32($0) }, shape: [3])
            func inputs(_ tensors: [Tensor]) -> [Tensor?] {
                var inputs: [Tensor?] = Array(tensors[..<4]) + [counts, tensors[4]]
                if cell.kind == "LSTM" { inputs += [tensors[5], cell.hasPeepholes ? tensors[6] : nil] }
                return inputs
            }
            let outputs = [Bool](repeating: true, count: cell.kind == "LSTM" ? 3 : 2)
            let node = SingleNode(cell.kind, attributes)
            let wide = try node.run(inputs(narrow.map(\.widened)), outputs: outputs)
            let single = try node.run(inputs(narrow), outputs: outputs)
            for (a, b) in zip(wide, single) {
                #expect(a.elementType == .float64 && a.shape == b.shape)
                for (x, y) in zip(a.doubles, b.doubles) { #expect(abs(x - y) < 1e-4) }
            }
            let none = [Double](repeating: 0, count: directions * 3 * hidden)
            let numbers = Numbers(
                x: narrow[0].doubles,
                w: narrow[1].doubles,
                r: narrow[2].doubles,
                b: narrow[3].doubles,
                h: narrow[4].doubles,
                c: narrow[5].doubles,
                p: cell.hasPeepholes ? narrow[6].doubles : none
            )
            for sequence in 0..<batch {
                for number in 0..<directions {
                    let place = isBatchFirst ? sequence * directions + number : number * batch + sequence
                    let order = Array(0..<lengths[sequence])
                    let taken = reversed[number] ? Array(order.reversed()) : order
                    let rows = taken.map { step in
                        let row = isBatchFirst ? sequence * steps + step : step * batch + sequence
                        return Array(numbers.x[row * features..<(row + 1) * features])
                    }
                    let expected = self.states(
                        cell,
                        numbers,
                        steps: rows,
                        hidden: hidden,
                        direction: number,
                        state: place
                    )
                    func expect(_ output: Int, _ start: Int, _ values: [Double]) {
                        let found = Array(wide[output].doubles[start * hidden..<(start + 1) * hidden])
                        for (x, y) in zip(found, values) { #expect(abs(x - y) < 1e-12) }
                    }
                    for step in 0..<steps {
                        let row =
                            isBatchFirst
                            ? (sequence * steps + step) * directions + number
                            : (step * directions + number) * batch + sequence
                        let state = taken.firstIndex(of: step).map { expected.states[$0] }
                        expect(0, row, state ?? [Double](repeating: 0, count: hidden))
                    }
                    let first = Array(numbers.h[place * hidden..<(place + 1) * hidden])
                    expect(1, place, expected.states.last ?? first)
                    if cell.kind == "LSTM" { expect(2, place, expected.cell) }
                }
            }
        }
    }

    @Test func `numbers of two types, and shapes that do not fit, are refused`() throws {
        var random = SplitMix(seed: 2)
        let tensors = try [[2, 1, 3], [1, 2, 3], [1, 2, 2]].map { try Tensor.random($0, &random) }
        let node = SingleNode("RNN", ["hidden_size": .int(2)])
        #expect(try node.failure(tensors.map(\.widened)) == nil)
        #expect(try node.failure([tensors[0].widened, tensors[1], tensors[2]]) != nil)
        #expect(try node.failure([tensors[0], tensors[1].widened, tensors[2]]) != nil)
        #expect(try node.failure([tensors[0].widened, tensors[2].widened, tensors[2].widened]) != nil)
        let state = try Tensor.random([1, 2, 2], &random).widened
        #expect(try node.failure(tensors.map(\.widened) + [nil, nil, state]) != nil)
    }
}
