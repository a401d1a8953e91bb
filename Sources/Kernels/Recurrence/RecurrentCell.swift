/// What one step of a recurrent layer computes, and what it is computed with.
///
/// `f`, `g` and `o` are ``activations`` in this order; `.` is the product element by element.
public struct RecurrentCell: Sendable {
    /// The arithmetic of a step.
    public enum Kind: Sendable, Hashable {
        /// `h' = f(W x + R h + b)`
        case rnn
        /// `z, r = f(W x + R h + b)`, `n = g(W x + R (r . h) + b)`, `h' = (1 - z) . n + z . h`; or, if the reset gate
        /// comes last, `n = g(W x + bW + r . (R h + bR))`. Gates stand in the order z, r, n.
        case gru(resetsAfterProduct: Bool)
        /// `i, f = f(W x + R h + P . c + b)`, `c' = f . c + i . g(W x + R h + b)`, `h' = f(W x + R h + P . c' + b) .
        /// o(c')`; `f = 1 - i` if the gates are coupled. Gates stand in the order i, o, f, c.
        case lstm(couplesGates: Bool)

        /// The gates of a step.
        public var gateCount: Int {
            switch self {
            case .rnn: 1
            case .gru: 3
            case .lstm: 4
            }
        }

        /// The functions of a step.
        public var activationCount: Int {
            switch self {
            case .rnn: 1
            case .gru: 2
            case .lstm: 3
            }
        }
    }

    /// The function of a gate.
    public enum Activation: Sendable {
        /// One that has a kernel: sigmoid, tanh, relu, softplus or identity run fused, others a pass each.
        case kernel(UnaryOperation)
        /// Any other function of one number; slow.
        case formula(@Sendable (Float) -> Float)
    }

    /// The arithmetic.
    public let kind: Kind
    /// As many as ``Kind/activationCount`` says.
    public let activations: [Activation]
    /// Sums are cut to `-clip ... clip` before a gate's function; nil for no bounds.
    public let clip: Float?

    /// A cell, or nil if there are not as many activations as the kind has, or the bound is negative or NaN.
    ///
    /// - Parameters:
    ///   - kind: The arithmetic.
    ///   - activations: The functions.
    ///   - clip: The bound of the sums.
    public init?(_ kind: Kind, activations: [Activation], clip: Float? = nil) {
        guard activations.count == kind.activationCount, clip.map({ $0 >= 0 }) ?? true else { return nil }
        self.kind = kind
        self.activations = activations
        self.clip = clip
    }

    /// The functions' numbers where all of them run fused; else nil.
    var fusedActivations: [Int32]? {
        var numbers: [Int32] = []
        for activation in activations {
            guard case .kernel(let operation) = activation,
                [.sigmoid, .tanh, .relu, .softplus, .identity].contains(operation)
            else { return nil }
            numbers.append(operation.rawValue)
        }
        return numbers
    }
}
