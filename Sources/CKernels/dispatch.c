#include "include/CKernels.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

extern const struct sn_kernels sn_kernels_baseline;
#if defined(__x86_64__)
extern const struct sn_kernels sn_kernels_avx2, sn_kernels_avx512;
extern const struct sn_narrow_kernels sn_narrow_avx512, sn_narrow_amx;
#endif

// Written once, before main.
static const struct sn_kernels *tables[SN_AMX + 1] = {&sn_kernels_baseline};
static int active_set = SN_BASELINE;

#if defined(__x86_64__)

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

static bool has_bfloat16_products(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 5 & 1;
}

/// Whether the processor has tiles of bfloat16 and the system lets this process use them.
static bool has_tiles(void) {
#if defined(__linux__)
    enum { request_permission = 0x1023, tile_data = 18 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1)) return false;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

static void find_tables(void) {
    static struct sn_kernels avx512_bf16, amx;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables[SN_AVX2] = &sn_kernels_avx2;
    if (!has_avx512()) return;
    tables[SN_AVX512] = &sn_kernels_avx512;
    if (!has_bfloat16_products()) return;
    avx512_bf16 = sn_kernels_avx512;
    avx512_bf16.narrow = sn_narrow_avx512;
    tables[SN_AVX512_BF16] = &avx512_bf16;
    if (!has_tiles()) return;
    amx = sn_kernels_avx512;
    amx.narrow = sn_narrow_amx;
    tables[SN_AMX] = &amx;
}

#else

static void find_tables(void) {}

#endif

__attribute__((constructor)) static void choose(void) {
    static const char *const names[] = {"baseline", "avx2", "avx512", "avx512-bf16", "amx"};
    find_tables();
    const char *wanted = getenv("SEQNORM_ISA");
    active_set = SN_AMX;
    for (int set = SN_BASELINE; set <= SN_AMX; set++)
        if (wanted && strcmp(wanted, names[set]) == 0) active_set = set;
    while (!tables[active_set]) active_set--;
}

const struct sn_kernels *sn_kernels_for(int instruction_set) {
    return instruction_set < SN_BASELINE || instruction_set > SN_AMX ? NULL : tables[instruction_set];
}

int sn_active_instruction_set(void) { return active_set; }
const struct sn_kernels *sn_active(void) { return tables[active_set]; }
