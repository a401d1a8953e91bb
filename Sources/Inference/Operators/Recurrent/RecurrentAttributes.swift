import Kernels
import TensorCore

/// What RNN, GRU and LSTM have in common: directions, layout, activations.
struct RecurrentAttributes: Sendable {
    let hiddenSize: Int
    /// For each direction, whether it runs from the end.
    let isReversed: [Bool]
    /// Whether the batch is the first axis, and not the steps.
    let isBatchFirst: Bool
    /// For each direction, what a step computes.
    let cells: [RecurrentCell]
    /// For each direction, the functions of its gates.
    let activations: [[RecurrentActivation]]
    /// Whether there are cell states and peepholes, inputs 6 and 7.
    let hasCells: Bool
    /// The inputs with weights that the node has.
    let weightInputs: [Int]
    /// The gates times the hidden size.
    let width: Int

    /// Reads the attributes; `standard` names the activations of one direction where none are written.
    init(
        _ kind: RecurrentCell.Kind,
        _ reader: inout AttributeReader,
        standard: [String]
    ) throws(OperatorError) {
        guard let hidden = try reader.int("hidden_size") else { throw .missingAttribute("hidden_size") }
        guard hidden > 0, hidden < 1 << 24 else { throw .attributeValue("hidden_size") }
        hiddenSize = hidden
        width = kind.gateCount * hidden
        if case .lstm = kind { hasCells = true } else { hasCells = false }
        var weightInputs = [1, 2, 3]
        if hasCells { weightInputs.append(7) }
        self.weightInputs = weightInputs.filter { [reader] in reader.hasInput($0) }
        switch try reader.string("direction") ?? "forward" {
        case "forward": isReversed = [false]
        case "reverse": isReversed = [true]
        case "bidirectional": isReversed = [false, true]
        default: throw .attributeValue("direction")
        }
        isBatchFirst = reader.opset >= 14 ? try reader.flag("layout", default: false) : false
        let clip = try reader.float("clip")
        guard clip.map({ $0 >= 0 }) ?? true else { throw .attributeValue("clip") }
        let count = isReversed.count
        let names =
            try reader.strings("activations") ?? Array([[String]](repeating: standard, count: count).joined())
        guard names.count == standard.count * count else { throw .attributeValue("activations") }
        var alphas = ArraySlice(try reader.floats("activation_alpha") ?? [])
        var betas = ArraySlice(try reader.floats("activation_beta") ?? [])
        var functions: [RecurrentActivation] = []
        for name in names {
            guard let function = RecurrentActivation(named: name, &alphas, &betas) else {
                throw .attributeValue("activations")
            }
            functions.append(function)
        }
        let activations = (0..<count).map { direction in
            Array(functions[direction * standard.count..<(direction + 1) * standard.count])
        }
        self.activations = activations
        cells = try activations.map { (part) throws(OperatorError) in
            guard let cell = RecurrentCell(kind, activations: part.map(\.single), clip: clip) else {
                throw .attributeValue("activations")
            }
            return cell
        }
    }
}
