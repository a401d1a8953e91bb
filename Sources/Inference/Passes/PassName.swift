/// A step of the planner that can be left out, to find the one at fault where answers are not as expected.
///
/// Without it a model gives what it gave, up to rounding, and is slower. The names are those of `--disable-pass`.
public enum PassName: String, CaseIterable, Hashable, Sendable {
    /// A Loop over the positions of a tensor becomes a Scan.
    case loopStepping = "loop-stepping"
    /// Nodes whose inputs are constants are computed when the plan is made.
    case constantFolding = "constant-folding"
    /// What a sequence's length alone decides is taken out: masks, shape arithmetic, expansions to the same shape.
    case knownValues = "known-values"
    /// Identity and Dropout are left out.
    case identityRemoval = "identity-removal"
    /// Two affine nodes, one behind the other, become one.
    case affineChain = "affine-chain"
    /// A scale and shift goes into the weights of the Conv, MatMul or Gemm before it.
    case affineIntoWeights = "affine-into-weights"
    /// An operation on rows of a constant table is done on the table.
    case tableFolding = "table-folding"
    /// In the body of a Scan, a chain of operations with constants and rows of tables becomes one scale and shift.
    case lookupAffine = "lookup-affine"
    /// Product, scale, bias, Softmax and product become one node.
    case attentionFusion = "attention-fusion"
    /// A Gelu that is written out becomes one function.
    case geluFusion = "gelu-fusion"
    /// An activation is computed in the tile of the Conv or the product before it.
    case activationEpilogue = "activation-epilogue"
    /// In the body of a Scan, a Mul and the Add behind it become one operation.
    case multiplyAdd = "multiply-add"
    /// A Scan's work that needs no state is done for all steps at once, the rest in place.
    case scanHoisting = "scan-hoisting"
    /// Weights and parameters that are constants are brought into the form that the kernels read.
    case weightPacking = "weight-packing"
    /// Convolutions of stride 1 take fewer products (Winograd).
    case minimalFiltering = "minimal-filtering"
    /// What a Conv or product over packed rows is added to is added in its tile.
    case residualEpilogue = "residual-epilogue"
    /// The sequences of a batch run over packed rows; else each runs alone.
    case packing

    /// The passes that join operators, or otherwise change how results are rounded, or take loops apart.
    static let joining: Set<PassName> = [
        .loopStepping,
        .affineChain, .affineIntoWeights, .lookupAffine, .attentionFusion, .geluFusion, .activationEpilogue,
        .multiplyAdd, .scanHoisting, .minimalFiltering,
    ]
}
