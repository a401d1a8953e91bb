internal import Kernels

/// In what numbers a model's products with constant weights are computed.
public enum Precision: String, CaseIterable, Hashable, Sendable {
    /// float32 throughout.
    case float32
    /// Weights, and what they are multiplied with, are rounded to bfloat16, halves to even; sums are float32, and so is all
    /// else: normalizations, statistics, softmax, attention, what recurrent layers and loops do at each step.
    case bfloat16 = "bf16"

    /// The instructions that compute the products, by their names in `SEQNORM_ISA`.
    public static var instructions: String { InstructionSet.active.name }

    /// Whether the instructions in use have products of this precision; else they are done in float32 on rounded operands,
    /// which takes longer than float32 does.
    public var isNative: Bool { self == .float32 || InstructionSet.active.hasNarrowProducts }
}
