#include "include/CKernels.h"

struct sn_winograd_block sn_winograd_block(ptrdiff_t input_channels, ptrdiff_t output_channels) {
    enum { vector = 16 }; // Floats of the widest.
    struct sn_winograd_block b;
    b.input_width = (input_channels + vector - 1) / vector * vector;
    b.output_width = (output_channels + SN_PANEL - 1) / SN_PANEL * SN_PANEL;
    // A vector more, so that the points do not compete for the same lines of the first cache.
    b.input_distance = SN_WINOGRAD_TILES * b.input_width + vector;
    b.output_distance = SN_WINOGRAD_TILES * b.output_width + vector;
    b.scratch = b.input_width + SN_WINOGRAD_POINTS * (b.input_distance + b.output_distance);
    return b;
}

void sn_winograd_pack(ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t count, const float *panels, float *transformed) {
    // The kernel as a polynomial, at 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, divided by the product of each point's distances
    // from the others.
    static const double points[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    static const double factors[] = {1, -2.0 / 9, -2.0 / 9, 1.0 / 90, 1.0 / 90, 32.0 / 45, 32.0 / 45};
    const ptrdiff_t size = depth * SN_PANEL;
    for (int p = 0; p < SN_WINOGRAD_POINTS; p++)
        for (ptrdiff_t panel = 0; panel < count; panel++)
            for (ptrdiff_t i = 0; i < size; i++) {
                const float *w = panels + panel * taps * size + i;
                double sum = w[(taps - 1) * size];
                if (p < SN_WINOGRAD_POINTS - 1) {
                    for (ptrdiff_t t = taps - 2; t >= 0; t--) sum = sum * points[p] + w[t * size];
                    sum *= factors[p];
                }
                *transformed++ = (float)sum;
            }
}
