// The vector type of one instruction set: SN_SET is 0 (baseline), 1 (AVX2) or 2 (AVX-512). Included once a file.
#ifndef SN_SET
#error "SN_SET chooses the instruction set"
#endif

#include "include/CKernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if SN_SET == 2
#define W 16
#elif SN_SET == 1
#define W 8
#else
#define W 4
#endif

typedef float vf __attribute__((vector_size(4 * W)));
typedef int32_t vi __attribute__((vector_size(4 * W)));
typedef float vf_unaligned __attribute__((vector_size(4 * W), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf splat(float x) { return x - (vf){0}; }
INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf x) { *(vf_unaligned *)p = x; }

/// The first `n` (1 ... W) elements, zeros behind them; nothing further is read.
INLINE vf load_part(const float *p, ptrdiff_t n) {
#if SN_SET == 2
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif SN_SET == 1
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return (vf)_mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i *)(ones + 8 - n)));
#else
    vf x = splat(0);
    memcpy(&x, p, (size_t)n * sizeof(float));
    return x;
#endif
}

INLINE void store_part(float *p, vf x, ptrdiff_t n) {
#if SN_SET == 2
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#elif SN_SET == 1
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    _mm256_maskstore_ps(p, _mm256_loadu_si256((const __m256i *)(ones + 8 - n)), (__m256)x);
#else
    memcpy(p, &x, (size_t)n * sizeof(float));
#endif
}

/// a * b + c, rounded once where the instruction set can.
INLINE vf fma_(vf a, vf b, vf c) {
#if SN_SET > 0 || defined(__aarch64__)
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// Per element: where `m` is all ones `a`, where it is zero `b`.
INLINE vf select_(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
INLINE vf absolute(vf x) { return (vf)((vi)x & 0x7fffffff); }
/// The magnitude of `x` with the sign of `s`.
INLINE vf with_sign(vf x, vf s) { return (vf)(((vi)x & 0x7fffffff) | ((vi)s & (int32_t)0x80000000)); }
INLINE vf square_root(vf x) { return __builtin_elementwise_sqrt(x); }

/// a / b, within an ulp, of a finite number and one between 1 and 2^126.
INLINE vf quotient(vf a, vf b) {
#if SN_SET == 2
    const vf rough = (vf)_mm512_rcp14_ps((__m512)b), q = a * rough;
    return fma_(fma_(-b, q, a), rough, q);
#else
    return a / b;
#endif
}

/// The larger; NaN if either is NaN.
INLINE vf maximum(vf a, vf b) { return select_((a > b) | (a != a), a, b); }
INLINE vf minimum(vf a, vf b) { return select_((a < b) | (a != a), a, b); }

/// `load` or, for `n` < W, `load_part`.
INLINE vf load_n(const float *p, ptrdiff_t n) { return n >= W ? load(p) : load_part(p, n); }
INLINE void store_n(float *p, vf x, ptrdiff_t n) {
    if (n >= W) store(p, x);
    else store_part(p, x, n);
}

/// The first `n` elements of `x`, `fill` behind them.
INLINE vf keep(vf x, ptrdiff_t n, float fill) {
    vi lane;
    for (int i = 0; i < W; i++) lane[i] = i;
    return select_(lane < (int32_t)(n < W ? n : W), x, splat(fill));
}

/// The elements of two halves of vectors in turn: a0, b0, a1, b1, ...
#if SN_SET == 2
#define LOW_IN_TURN(A, B) __builtin_shufflevector(A, B, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH_IN_TURN(A, B) __builtin_shufflevector(A, B, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif SN_SET == 1
#define LOW_IN_TURN(A, B) __builtin_shufflevector(A, B, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH_IN_TURN(A, B) __builtin_shufflevector(A, B, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOW_IN_TURN(A, B) __builtin_shufflevector(A, B, 0, 4, 1, 5)
#define HIGH_IN_TURN(A, B) __builtin_shufflevector(A, B, 2, 6, 3, 7)
#endif

/// Rows become columns: each round deals the rows of both halves in turn, which turns the bits of an element's place by one.
INLINE void transpose_square(vf rows[W]) {
#pragma clang loop unroll(full)
    for (int round = 1; round < W; round *= 2) {
        vf next[W];
#pragma clang loop unroll(full)
        for (int i = 0; i < W / 2; i++) {
            next[2 * i] = LOW_IN_TURN(rows[i], rows[i + W / 2]);
            next[2 * i + 1] = HIGH_IN_TURN(rows[i], rows[i + W / 2]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < W; i++) rows[i] = next[i];
    }
}

#if SN_SET == 2
#define HALVES(OP)                                                                                            \
    x = OP(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));           \
    x = OP(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));           \
    x = OP(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));           \
    x = OP(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif SN_SET == 1
#define HALVES(OP)                                                                                            \
    x = OP(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3));                                         \
    x = OP(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5));                                         \
    x = OP(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6));
#else
#define HALVES(OP)                                                                                            \
    x = OP(x, __builtin_shufflevector(x, x, 2, 3, 0, 1));                                                     \
    x = OP(x, __builtin_shufflevector(x, x, 1, 0, 3, 2));
#endif

INLINE vf add(vf a, vf b) { return a + b; }
/// Lane l with lane l + W/2, then l + W/4, and so on: the same tree of lanes for every W.
INLINE float sum_lanes(vf x) { HALVES(add) return x[0]; }
/// The extreme of either order: of two zeros the positive is the larger.
INLINE vf larger(vf a, vf b) { return select_(a == b, (vf)((vi)a & (vi)b), maximum(a, b)); }
INLINE vf smaller(vf a, vf b) { return select_(a == b, (vf)((vi)a | (vi)b), minimum(a, b)); }

INLINE float max_lanes(vf x) { HALVES(larger) return x[0]; }
INLINE float min_lanes(vf x) { HALVES(smaller) return x[0]; }
