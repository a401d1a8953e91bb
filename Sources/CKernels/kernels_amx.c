#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define SN_SET 2
#define SN_NARROW 2
#define SN_TABLE sn_narrow_amx
#include "narrow_table.h"
#pragma clang attribute pop
#endif
