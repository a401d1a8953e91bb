#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx512bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define SN_SET 2
#define SN_NARROW 1
#define SN_TABLE sn_narrow_avx512
#include "narrow_table.h"
#pragma clang attribute pop
#endif
