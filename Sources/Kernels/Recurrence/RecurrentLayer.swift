internal import CKernels
public import TensorCore

/// One direction of an RNN, GRU or LSTM, its weights packed once.
///
/// What the inputs give to the gates is made for many steps at once, in products that leave their results in a cache until
/// the steps read them. At each step the sequences that have not ended are the rows of one product with the states, so that
/// a step costs only those alive. A sequence's bits depend on its own rows, length and initial state alone: not on its
/// neighbours, their number or their order.
///
/// For packed rows `[rows, features]` of sequences with `lengths`, both directions into `[rows, 2 * hidden]`:
/// ```swift
/// for (index, layer) in layers.enumerated() {
///     layer.run(
///         x, StepRows(packed: lengths, width: layer.features), lengths: lengths, isReversed: index == 1,
///         states: h, output: (y, StepRows(packed: lengths, width: 2 * hidden, column: index * hidden)))
/// }
/// ```
public struct RecurrentLayer: Sendable {
    /// What a step computes.
    public let cell: RecurrentCell
    /// The length of an input row.
    public let features: Int
    /// H, the length of a state.
    public let hidden: Int
    /// `[features, width]`.
    private var inputMatrix: PackedMatrix
    /// The biases that the projection adds, `[width]`.
    private let inputBias: Tensor
    /// `[hidden, width]`, without the candidate of a GRU that resets before the product.
    let stateMatrix: PackedMatrix
    /// `[hidden, hidden]` of a GRU that resets before the product.
    let candidateMatrix: PackedMatrix?
    /// What a GRU that resets after the product adds before it does, `[hidden]`.
    let candidateBias: Tensor
    /// `[3 * hidden]`, or nil for none.
    let peepholes: Tensor?

    /// The gates times ``hidden``: the length of a row of projections.
    public var width: Int { cell.kind.gateCount * hidden }

    /// Packs the weights of one direction, laid out as ONNX has them.
    ///
    /// - Parameters:
    ///   - cell: What a step computes.
    ///   - features: The length of an input row.
    ///   - hidden: H.
    ///   - weights: W, `[width, features]`.
    ///   - recurrence: R, `[width, hidden]`.
    ///   - bias: The biases of W, then those of R, `[2 * width]`; nil for zeros.
    ///   - peepholes: Of an LSTM's gates i, o and f, `[3 * hidden]`; nil for zeros.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(width * (features + hidden)).
    public init(
        _ cell: RecurrentCell,
        features: Int,
        hidden: Int,
        weights: UnsafePointer<Float>,
        recurrence: UnsafePointer<Float>,
        bias: UnsafePointer<Float>? = nil,
        peepholes: UnsafePointer<Float>? = nil
    ) throws(ShapeError) {
        self.cell = cell
        self.features = features
        self.hidden = hidden
        let width = cell.kind.gateCount * hidden
        inputMatrix = try PackedMatrix(
            rows: features,
            columns: width,
            from: weights,
            leadingDimension: features,
            transposed: true
        )
        let splits = cell.kind == .gru(resetsAfterProduct: false)
        stateMatrix = try PackedMatrix(
            rows: hidden,
            columns: splits ? 2 * hidden : width,
            from: recurrence,
            leadingDimension: hidden,
            transposed: true
        )
        candidateMatrix =
            try splits
            ? PackedMatrix(
                rows: hidden,
                columns: hidden,
                from: recurrence + 2 * hidden * hidden,
                leadingDimension: hidden,
                transposed: true
            ) : nil
        let separate = cell.kind == .gru(resetsAfterProduct: true) ? 2 * hidden : width
        let addends = (0..<width).map { row in
            guard let bias else { return Float(0) }
            return row < separate ? bias[row] + bias[width + row] : bias[row]
        }
        inputBias = try Tensor(addends, shape: Shape(checking: [width]))
        let later = (0..<hidden).map { index in
            guard let bias, separate < width else { return Float(0) }
            return bias[width + separate + index]
        }
        candidateBias = try Tensor(later, shape: Shape(checking: [hidden]))
        self.peepholes =
            try peepholes.map { (source) throws(ShapeError) in
                try Tensor((0..<3 * hidden).map { source[$0] }, shape: Shape(checking: [3 * hidden]))
            }
    }

    /// The layer with the weights of its inputs rounded to bfloat16; its states and their weights stay in float32.
    ///
    /// - Returns: The layer, which is itself if it was rounded before.
    /// - Throws: ``ShapeError/tooLarge(dimensions:)``.
    /// - Complexity: O(width * features).
    public func narrowed() throws(ShapeError) -> RecurrentLayer {
        var layer = self
        layer.inputMatrix = try inputMatrix.narrowed()
        return layer
    }

    /// What inputs give to the gates: `x W + b`.
    ///
    /// - Parameters:
    ///   - x: Rows of `features` elements.
    ///   - stride: Elements from one row to the next.
    ///   - rows: The number of rows.
    ///   - y: `[rows, width]`; must not overlap `x`.
    /// - Complexity: O(rows * features * width), no allocation.
    func project(_ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>) {
        inputBias.withElements(of: Float.self) { bias in
            GEMM.multiply(
                m: rows,
                a: x,
                lda: stride,
                inputMatrix,
                c: y,
                ldc: width,
                epilogue: Epilogue(bias: bias.baseAddress)
            )
        }
    }
}
