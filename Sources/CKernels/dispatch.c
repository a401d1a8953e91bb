#include "include/CKernels.h"

#include <stdlib.h>
#include <string.h>

extern const struct sn_kernels sn_kernels_baseline;
#if defined(__x86_64__)
extern const struct sn_kernels sn_kernels_avx2, sn_kernels_avx512;
#endif

// Written once, before main.
static const struct sn_kernels *active = &sn_kernels_baseline;
static int active_set = SN_BASELINE;

const struct sn_kernels *sn_kernels_for(int instruction_set) {
    switch (instruction_set) {
    case SN_BASELINE: return &sn_kernels_baseline;
#if defined(__x86_64__)
    case SN_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &sn_kernels_avx2 : NULL;
    case SN_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
                   ? &sn_kernels_avx512
                   : NULL;
#endif
    default: return NULL;
    }
}

__attribute__((constructor)) static void choose(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    const char *wanted = getenv("SEQNORM_ISA");
    int widest = SN_AVX512;
    if (wanted && strcmp(wanted, "baseline") == 0) widest = SN_BASELINE;
    if (wanted && strcmp(wanted, "avx2") == 0) widest = SN_AVX2;
    for (int set = widest; set >= SN_BASELINE; set--) {
        const struct sn_kernels *table = sn_kernels_for(set);
        if (!table) continue;
        active = table;
        active_set = set;
        return;
    }
}

int sn_active_instruction_set(void) { return active_set; }
const struct sn_kernels *sn_active(void) { return active; }
