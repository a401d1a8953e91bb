#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define SN_SET 1
#define SN_TABLE sn_kernels_avx2
#include "table.h"
#pragma clang attribute pop
#endif
