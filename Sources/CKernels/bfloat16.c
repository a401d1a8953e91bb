#include "bfloat16.h"
#include "include/CKernels.h"

ptrdiff_t sn_narrow_piece(ptrdiff_t depth) {
    return depth < SN_NARROW_BLOCK ? depth : (depth + SN_NARROW_BLOCK - 1) / SN_NARROW_BLOCK * SN_NARROW_BLOCK;
}

ptrdiff_t sn_narrow_depth(ptrdiff_t taps, ptrdiff_t depth) {
    const ptrdiff_t used = taps * sn_narrow_piece(depth);
    return used < 1 ? SN_NARROW_BLOCK : (used + SN_NARROW_BLOCK - 1) / SN_NARROW_BLOCK * SN_NARROW_BLOCK;
}

void sn_narrow_pack(ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t count, const float *panels, uint16_t *narrow) {
    const ptrdiff_t piece = sn_narrow_piece(depth), size = sn_narrow_depth(taps, depth) * SN_PANEL;
    for (ptrdiff_t panel = 0; panel < count; panel++, narrow += size) {
        memset(narrow, 0, (size_t)size * sizeof *narrow);
        for (ptrdiff_t t = 0; t < taps; t++)
            for (ptrdiff_t c = 0; c < depth; c++, panels += SN_PANEL) {
                const ptrdiff_t row = t * piece + c;
                uint16_t *pair = narrow + row / 2 * 2 * SN_PANEL + row % 2;
                for (ptrdiff_t j = 0; j < SN_PANEL; j++) pair[2 * j] = round_bfloat16(panels[j]);
            }
    }
}
