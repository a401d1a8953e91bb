internal import CKernels

/// The vector instructions the kernels use; chosen once, when the process starts.
///
/// The widest one the machine has, unless the environment variable `SEQNORM_ISA` names a narrower one
/// (`baseline`, `avx2` or `avx512`). Outside x86-64 there is only ``baseline``, built for the machine's own vectors.
public enum InstructionSet: Int, Sendable, CaseIterable {
    /// What every machine of the architecture has: SSE2 or NEON.
    case baseline
    /// AVX2 with fused multiply-add.
    case avx2
    /// AVX-512 (F, VL, BW, DQ).
    case avx512

    /// The one in use.
    public static var active: InstructionSet {
        InstructionSet(rawValue: Int(sn_active_instruction_set())) ?? .baseline
    }

    /// Whether this machine can run it.
    public var isAvailable: Bool { sn_kernels_for(Int32(rawValue)) != nil }
}

/// The table of kernels in use.
@inline(__always)
var active: sn_kernels { sn_active().pointee }
