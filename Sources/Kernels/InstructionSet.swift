internal import CKernels

/// The vector instructions the kernels use; chosen once, when the process starts.
///
/// The widest one the machine has, unless the environment variable `SEQNORM_ISA` names a narrower one
/// (`baseline`, `avx2`, `avx512`, `avx512-bf16` or `amx`). Outside x86-64 there is only ``baseline``, built for the machine's own vectors.
public enum InstructionSet: Int, Sendable, CaseIterable {
    /// What every machine of the architecture has: SSE2 or NEON.
    case baseline
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX-512 (F, VL, BW, DQ).
    case avx512
    /// AVX-512 with products of bfloat16 pairs.
    case avx512BFloat16
    /// AVX-512 with products of bfloat16 tiles, which the operating system has to allow.
    case amx

    /// The one in use.
    public static var active: InstructionSet {
        InstructionSet(rawValue: Int(sn_active_instruction_set())) ?? .baseline
    }

    /// The name that `SEQNORM_ISA` has for it.
    public var name: String {
        switch self {
        case .baseline: "baseline"
        case .avx2: "avx2"
        case .avx512: "avx512"
        case .avx512BFloat16: "avx512-bf16"
        case .amx: "amx"
        }
    }

    /// Whether it has products of bfloat16; else they are done in float32, on rounded operands, and gain nothing.
    public var hasNarrowProducts: Bool { self == .avx512BFloat16 || self == .amx }

    /// Whether this machine can run it.
    public var isAvailable: Bool { sn_kernels_for(Int32(rawValue)) != nil }
}

/// The table of kernels in use.
@inline(__always)
var active: sn_kernels { sn_active().pointee }
