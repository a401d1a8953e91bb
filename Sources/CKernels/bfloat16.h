// The upper half of a float32, and how weights of it lie in memory.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// To the nearest, halves to even; what is below the normal range counts as zero, as in the processors' own products; NaN
/// stays NaN.
static inline uint16_t round_bfloat16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t magnitude = bits & 0x7fffffff;
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const uint32_t finite = magnitude < 0x00800000 ? bits >> 16 & 0x8000 : rounded;
    return (uint16_t)(magnitude > 0x7f800000 ? bits >> 16 | 0x40 : finite);
}
