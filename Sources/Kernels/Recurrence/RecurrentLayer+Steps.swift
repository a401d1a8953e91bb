internal import CKernels
internal import TensorCore

extension RecurrentLayer {
    /// The states of sequences, before the first step and after the last.
    public struct States {
        /// `[sequences, hidden]`.
        public var hidden: UnsafeMutablePointer<Float>
        /// `[sequences, hidden]`, of an LSTM; others do not look at it.
        public var cell: UnsafeMutablePointer<Float>?

        /// States in memory that lives as long as the run.
        ///
        /// - Parameters:
        ///   - hidden: `[sequences, hidden]`.
        ///   - cell: `[sequences, hidden]`, for an LSTM.
        public init(hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>? = nil) {
            self.hidden = hidden
            self.cell = cell
        }
    }

    /// Takes all steps of all sequences; each step is one product over the sequences that have not ended.
    ///
    /// The sequences may come in any order; they are sorted by length inside. A sequence of length 0 keeps its state.
    ///
    /// - Parameters:
    ///   - projections: What ``project(_:rows:into:)`` gave for all positions; read only at positions inside a length.
    ///   - places: Where the row of each position stands in `projections`, in elements.
    ///   - lengths: The steps of each sequence, each at least 0.
    ///   - isReversed: Whether each sequence is read from its own end.
    ///   - states: The initial states, in the sequences' order; afterwards the last ones.
    ///   - output: Where the state after each position is written, `hidden` elements each; nil if nobody asks.
    /// - Complexity: O(positions * hidden * width); scratch of O(sequences * width).
    public func run(
        _ projections: UnsafePointer<Float>,
        _ places: StepRows,
        lengths: [Int],
        isReversed: Bool,
        states: States,
        output: (UnsafeMutablePointer<Float>, StepRows)? = nil
    ) {
        let order = lengths.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) }
        let living = order.prefix { lengths[$0] > 0 }
        guard let first = living.first else { return }
        let (count, steps) = (living.count, lengths[first])
        withScratch(count * (width + 4 * hidden)) { scratch in
            let h = scratch + count * width
            let c = h + count * hidden
            for (row, sequence) in living.enumerated() {
                (h + row * hidden).update(from: states.hidden + sequence * hidden, count: hidden)
                guard let cells = states.cell else { continue }
                (c + row * hidden).update(from: cells + sequence * hidden, count: hidden)
            }
            var inputs = living.map { sequence in
                projections + places.starts[sequence]
                    + (isReversed ? (lengths[sequence] - 1) * places.step : 0)
            }
            var outputs =
                output.map { y, places in
                    living.map { sequence in
                        y + places.starts[sequence]
                            + (isReversed ? (lengths[sequence] - 1) * places.step : 0)
                    }
                } ?? []
            let inputStep = isReversed ? -places.step : places.step
            let outputStep = output.map { isReversed ? -$1.step : $1.step } ?? 0
            let stepper = RecurrentStepper(self, scratch: scratch, count: count)
            var alive = count
            for step in 0..<steps {
                while alive > 0, lengths[living[alive - 1]] <= step { alive -= 1 }
                stepper.take(rows: alive, inputs, outputs, h: h, c: c)
                for row in 0..<alive { inputs[row] += inputStep }
                if !outputs.isEmpty { for row in 0..<alive { outputs[row] += outputStep } }
            }
            for (row, sequence) in living.enumerated() {
                (states.hidden + sequence * hidden).update(from: h + row * hidden, count: hidden)
                guard let cells = states.cell else { continue }
                (cells + sequence * hidden).update(from: c + row * hidden, count: hidden)
            }
        }
    }
}

/// The scratch of one run, and one step of it.
private struct RecurrentStepper {
    private let layer: RecurrentLayer
    private let products: UnsafeMutablePointer<Float>
    private let masked: UnsafeMutablePointer<Float>
    private let fresh: UnsafeMutablePointer<Float>
    private let fused: [Int32]?

    /// Scratch of `count * (width + 4 * hidden)` elements: products, h, c, and two of `hidden` for a GRU.
    init(_ layer: RecurrentLayer, scratch: UnsafeMutablePointer<Float>, count: Int) {
        self.layer = layer
        products = scratch
        masked = scratch + count * (layer.width + 2 * layer.hidden)
        fresh = masked + count * layer.hidden
        fused = layer.cell.fusedActivations
    }

    /// One step of the first `rows` sequences.
    func take(
        rows: Int,
        _ inputs: [UnsafePointer<Float>],
        _ outputs: [UnsafeMutablePointer<Float>],
        h: UnsafeMutablePointer<Float>,
        c: UnsafeMutablePointer<Float>
    ) {
        multiply(rows, h, layer.stateMatrix, into: products)
        guard let fused else {
            if let candidate = layer.candidateMatrix {
                layer.cell.resetWithFormulas(self.part(inputs, h: h, c: c), rows: rows, masked: masked)
                multiply(rows, masked, candidate, into: fresh)
            }
            layer.cell.stepWithFormulas(self.part(inputs, h: h, c: c), rows: rows, candidates: fresh)
            for row in outputs.indices.prefix(rows) {
                outputs[row].update(from: h + row * layer.hidden, count: layer.hidden)
            }
            return
        }
        layer.candidateBias.withElements(of: Float.self) { bias in
            withPeepholes { peepholes in
                inputs.withUnsafeBufferPointer { inputs in
                    outputs.withUnsafeBufferPointer { outputs in
                        inputs.withMemoryRebound(to: UnsafePointer<Float>?.self) { inputs in
                            outputs.withMemoryRebound(to: UnsafeMutablePointer<Float>?.self) { outputs in
                                var step = sn_recurrent_step()
                                step.hidden = layer.hidden
                                step.activations = (
                                    fused[0], fused.count > 1 ? fused[1] : 0, fused.count > 2 ? fused[2] : 0
                                )
                                step.clip = layer.cell.clip ?? -1
                                step.bias = bias.baseAddress
                                step.peepholes = peepholes
                                step.projections = inputs.baseAddress
                                step.outputs = outputs.isEmpty ? nil : outputs.baseAddress
                                step.products = products
                                step.masked = masked
                                step.h = h
                                step.c = c
                                run(&step, rows)
                            }
                        }
                    }
                }
            }
        }
    }

    private func run(_ step: inout sn_recurrent_step, _ rows: Int) {
        switch layer.cell.kind {
        case .rnn: active.rnn_step(&step, rows)
        case .gru(resetsAfterProduct: true): active.gru_step(&step, rows)
        case .gru(resetsAfterProduct: false):
            guard let candidate = layer.candidateMatrix else { return }
            active.gru_gate_step(&step, rows)
            multiply(rows, masked, candidate, into: fresh)
            step.masked = fresh
            active.gru_state_step(&step, rows)
        case .lstm(let couplesGates):
            step.couples = couplesGates
            active.lstm_step(&step, rows)
        }
    }

    private func multiply(
        _ rows: Int,
        _ states: UnsafePointer<Float>,
        _ matrix: PackedMatrix,
        into products: UnsafeMutablePointer<Float>
    ) {
        GEMM.multiply(m: rows, a: states, lda: layer.hidden, matrix, c: products, ldc: matrix.columns)
    }

    private func withPeepholes(_ body: (UnsafePointer<Float>?) -> Void) {
        guard let peepholes = layer.peepholes else { return body(nil) }
        peepholes.withElements(of: Float.self) { body($0.baseAddress) }
    }

    private func part(
        _ inputs: [UnsafePointer<Float>],
        h: UnsafeMutablePointer<Float>,
        c: UnsafeMutablePointer<Float>
    ) -> FormulaStep {
        FormulaStep(
            layer: layer,
            inputs: inputs,
            products: products,
            width: layer.stateMatrix.columns,
            h: h,
            c: c
        )
    }
}
