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
    ///   - x: Rows of `features` elements; read only at positions inside a length.
    ///   - places: Where the row of each position stands in `x`, in elements.
    ///   - lengths: The steps of each sequence, each at least 0.
    ///   - isReversed: Whether each sequence is read from its own end.
    ///   - states: The initial states, in the sequences' order; afterwards the last ones.
    ///   - output: Where the state after each position is written, `hidden` elements each; nil if nobody asks.
    /// - Complexity: O(positions * (features + hidden) * width); scratch of O(sequences * width) and some 0.5 MB, 8 MB for large
    ///   weights.
    public func run(
        _ x: UnsafePointer<Float>,
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
        let projections = StepProjections(
            self,
            x: x,
            places: places,
            lengths: living.map { lengths[$0] },
            order: living,
            isReversed: isReversed
        )
        withScratch(projections.count) { made in
            // Small, and so on the stack, apart from the large blocks that all begin alike in their pages.
            withScratch(count * (width + 4 * hidden)) { scratch in
                let memory = StepMemory(self, scratch: scratch, count: count)
                for (row, sequence) in living.enumerated() { memory.load(states, sequence, row, hidden) }
                var outputs =
                    output.map { y, places in
                        living.map { sequence in
                            y + places.starts[sequence]
                                + (isReversed ? (lengths[sequence] - 1) * places.step : 0)
                        }
                    } ?? []
                let outputStep = output.map { isReversed ? -$1.step : $1.step } ?? 0
                var inputs = [UnsafePointer<Float>](repeating: UnsafePointer(made), count: count)
                inputs.withUnsafeMutableBufferPointer { inputs in
                    outputs.withUnsafeMutableBufferPointer { outputs in
                        withStepper(memory, inputs, outputs, ahead: projections.step) { stepper in
                            var (alive, left) = (count, 0)
                            for step in 0..<steps {
                                while alive > 0, lengths[living[alive - 1]] <= step { alive -= 1 }
                                if left == 0 {
                                    left = projections.make(from: step, rows: alive, into: made, inputs)
                                }
                                left -= 1
                                stepper.take(rows: alive)
                                for row in 0..<alive { inputs[row] += projections.step }
                                if !outputs.isEmpty { for row in 0..<alive { outputs[row] += outputStep } }
                            }
                        }
                    }
                }
                for (row, sequence) in living.enumerated() { memory.store(states, sequence, row, hidden) }
            }
        }
    }

    /// Calls the body with what takes a step; the pointers in `inputs` and `outputs` are those of the step to take.
    private func withStepper(
        _ memory: StepMemory,
        _ inputs: UnsafeMutableBufferPointer<UnsafePointer<Float>>,
        _ outputs: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>>,
        ahead: Int,
        _ body: (inout RecurrentStepper) -> Void
    ) {
        candidateBias.withElements(of: Float.self) { bias in
            withMatrices { stateMatrix, candidateMatrix, peepholes in
                var native = sn_recurrent_step()
                native.hidden = hidden
                native.clip = cell.clip ?? -1
                native.bias = bias.baseAddress
                native.peepholes = peepholes
                native.ahead = ahead
                native.products = memory.products
                native.masked = memory.masked
                native.h = memory.h
                native.c = memory.c
                let fused = cell.fusedActivations
                if let fused {
                    native.activations = (
                        fused[0], fused.count > 1 ? fused[1] : 0, fused.count > 2 ? fused[2] : 0
                    )
                }
                if case .lstm(let couplesGates) = cell.kind { native.couples = couplesGates }
                var stepper = RecurrentStepper(
                    kind: cell.kind,
                    stateMatrix: stateMatrix,
                    candidateMatrix: candidateMatrix,
                    memory: memory,
                    formulas: fused == nil ? self : nil,
                    inputs: inputs,
                    outputs: outputs,
                    native: native
                )
                body(&stepper)
            }
        }
    }

    private func withMatrices(
        _ body: (HeldMatrix, _ candidate: HeldMatrix?, _ peepholes: UnsafePointer<Float>?) -> Void
    ) {
        stateMatrix.hold { state in
            let peepholes = peepholes ?? candidateBias
            peepholes.withElements(of: Float.self) { elements in
                let elements = self.peepholes == nil ? nil : elements.baseAddress
                guard let candidateMatrix else { return body(state, nil, elements) }
                candidateMatrix.hold { body(state, $0, elements) }
            }
        }
    }
}

/// Where a run keeps its states and what a step computes on the way.
private struct StepMemory {
    let products: UnsafeMutablePointer<Float>
    let h: UnsafeMutablePointer<Float>
    let c: UnsafeMutablePointer<Float>
    /// Of a GRU that resets before the product, as `fresh`.
    let masked: UnsafeMutablePointer<Float>
    let fresh: UnsafeMutablePointer<Float>

    /// Scratch of `count * (width + 4 * hidden)` elements.
    init(_ layer: RecurrentLayer, scratch: UnsafeMutablePointer<Float>, count: Int) {
        products = scratch
        h = scratch + count * layer.width
        c = h + count * layer.hidden
        masked = c + count * layer.hidden
        fresh = masked + count * layer.hidden
    }

    /// Takes the first states of a sequence.
    func load(_ states: RecurrentLayer.States, _ sequence: Int, _ row: Int, _ hidden: Int) {
        (h + row * hidden).update(from: states.hidden + sequence * hidden, count: hidden)
        guard let cells = states.cell else { return }
        (c + row * hidden).update(from: cells + sequence * hidden, count: hidden)
    }

    /// Returns the last states of a sequence.
    func store(_ states: RecurrentLayer.States, _ sequence: Int, _ row: Int, _ hidden: Int) {
        (states.hidden + sequence * hidden).update(from: h + row * hidden, count: hidden)
        guard let cells = states.cell else { return }
        (cells + sequence * hidden).update(from: c + row * hidden, count: hidden)
    }
}

/// One step of a run.
///
/// Holds no more than that takes, since copying a whole layer would cost more than a short step.
private struct RecurrentStepper {
    let kind: RecurrentCell.Kind
    let stateMatrix: HeldMatrix
    let candidateMatrix: HeldMatrix?
    let memory: StepMemory
    /// The layer, if its functions have no kernels.
    let formulas: RecurrentLayer?
    let inputs: UnsafeMutableBufferPointer<UnsafePointer<Float>>
    let outputs: UnsafeMutableBufferPointer<UnsafeMutablePointer<Float>>
    var native: sn_recurrent_step
    var isOddStep = false

    /// The step of the first `rows` sequences.
    mutating func take(rows: Int) {
        isOddStep.toggle()
        stateMatrix.multiply(rows: rows, memory.h, into: memory.products, backward: isOddStep)
        if let formulas { return take(rows: rows, formulas) }
        inputs.withMemoryRebound(to: UnsafePointer<Float>?.self) { inputs in
            outputs.withMemoryRebound(to: UnsafeMutablePointer<Float>?.self) { outputs in
                native.projections = UnsafePointer(inputs.baseAddress)
                native.outputs = outputs.isEmpty ? nil : UnsafePointer(outputs.baseAddress)
                switch kind {
                case .rnn: active.rnn_step(&native, rows)
                case .gru(resetsAfterProduct: true): active.gru_step(&native, rows)
                case .gru(resetsAfterProduct: false):
                    guard let candidateMatrix else { return }
                    native.masked = memory.masked
                    active.gru_gate_step(&native, rows)
                    candidateMatrix.multiply(
                        rows: rows,
                        memory.masked,
                        into: memory.fresh,
                        backward: isOddStep
                    )
                    native.masked = memory.fresh
                    active.gru_state_step(&native, rows)
                case .lstm: active.lstm_step(&native, rows)
                }
            }
        }
    }

    private func take(rows: Int, _ layer: RecurrentLayer) {
        let step = FormulaStep(
            layer: layer,
            inputs: inputs,
            products: memory.products,
            width: stateMatrix.columns,
            h: memory.h,
            c: memory.c
        )
        if let candidateMatrix {
            layer.cell.resetWithFormulas(step, rows: rows, masked: memory.masked)
            candidateMatrix.multiply(rows: rows, memory.masked, into: memory.fresh, backward: isOddStep)
        }
        layer.cell.stepWithFormulas(step, rows: rows, candidates: memory.fresh)
        for row in outputs.indices.prefix(rows) {
            outputs[row].update(from: memory.h + row * layer.hidden, count: layer.hidden)
        }
    }
}
