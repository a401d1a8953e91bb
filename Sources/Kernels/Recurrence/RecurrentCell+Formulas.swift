internal import TensorCore

/// What a step of a cell reads and writes where not all of its functions run fused.
struct FormulaStep {
    let layer: RecurrentLayer
    let inputs: UnsafeMutableBufferPointer<UnsafePointer<Float>>
    /// `[rows, width]`.
    let products: UnsafeMutablePointer<Float>
    let width: Int
    let h: UnsafeMutablePointer<Float>
    let c: UnsafeMutablePointer<Float>
}

/// The steps of cells with any functions, one number after the other: the plain form of what the C kernels do.
extension RecurrentCell {
    /// `masked = r . h`, of a GRU that resets before the product; z stays in place of its product.
    func resetWithFormulas(_ step: FormulaStep, rows: Int, masked: UnsafeMutablePointer<Float>) {
        let hidden = step.layer.hidden
        for row in 0..<rows {
            let (p, q) = (step.inputs[row], step.products + row * step.width)
            for j in 0..<hidden {
                q[j] = apply(0, q[j] + p[j])
                masked[row * hidden + j] =
                    apply(0, q[hidden + j] + p[hidden + j]) * step.h[row * hidden + j]
            }
        }
    }

    /// The rest of a step; `candidates` are the products of a GRU's `r . h`.
    func stepWithFormulas(_ step: FormulaStep, rows: Int, candidates: UnsafePointer<Float>) {
        let hidden = step.layer.hidden
        let bias = step.layer.candidateBias.array(of: Float.self)
        let peepholes =
            step.layer.peepholes?.array(of: Float.self) ?? [Float](repeating: 0, count: 3 * hidden)
        for row in 0..<rows {
            let (p, q) = (step.inputs[row], step.products + row * step.width)
            let (h, c) = (step.h + row * hidden, step.c + row * hidden)
            for j in 0..<hidden {
                switch kind {
                case .rnn: h[j] = apply(0, q[j] + p[j])
                case .gru(let resetsAfterProduct):
                    let update = resetsAfterProduct ? apply(0, q[j] + p[j]) : q[j]
                    let state =
                        resetsAfterProduct
                        ? apply(0, q[hidden + j] + p[hidden + j]) * (q[2 * hidden + j] + bias[j])
                        : candidates[row * hidden + j]
                    let fresh = apply(1, state + p[2 * hidden + j])
                    h[j] = (1 - update) * fresh + update * h[j]
                case .lstm(let couplesGates):
                    let input = apply(0, q[j] + p[j] + peepholes[j] * c[j])
                    let forget =
                        couplesGates
                        ? 1 - input
                        : apply(0, q[2 * hidden + j] + p[2 * hidden + j] + peepholes[2 * hidden + j] * c[j])
                    c[j] = forget * c[j] + input * apply(1, q[3 * hidden + j] + p[3 * hidden + j])
                    let output = apply(0, q[hidden + j] + p[hidden + j] + peepholes[hidden + j] * c[j])
                    h[j] = output * value(2, c[j])
                }
            }
        }
    }

    private func apply(_ function: Int, _ sum: Float) -> Float {
        guard let clip, !sum.isNaN else { return value(function, sum) }
        return value(function, min(max(sum, -clip), clip))
    }

    private func value(_ function: Int, _ x: Float) -> Float {
        switch activations[function] {
        case .formula(let formula): return formula(x)
        case .kernel(let operation):
            var result: Float = 0
            withUnsafePointer(to: x) { Elementwise.apply(operation, to: $0, into: &result, count: 1) }
            return result
        }
    }
}
