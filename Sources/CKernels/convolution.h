// 1-D convolutions as sums over taps of row (or channel) products; no window is ever copied out. Every element of the
// result is one running sum, taps outermost, then input channels, in both layouts. Sums of several taps that are zero are
// +0, so that taps that lie outside of the input for all rows of a tile can be left out.

/// Scratch that small cases take from the stack.
#define STACK_FLOATS 8192

/// The input position of a tap, or -1 outside of the input.
INLINE ptrdiff_t position(const struct sn_convolution *s, ptrdiff_t output, ptrdiff_t tap) {
    const ptrdiff_t p = output * s->stride + tap * s->dilation - s->pad_begin;
    return p < 0 || p >= s->length ? -1 : p;
}

static void convolve_rows(const struct sn_convolution *s, const float *x, const float *panels, float *y,
                          const struct sn_epilogue *e, ptrdiff_t residual_stride) {
    const struct destination d = {y, s->output_stride, residual_stride, 1, 0, e, NULL};
    const ptrdiff_t depth = s->input_channels, k = depth * s->kernel, n = s->output_channels;
    struct tile_work work;
    divide_work(&d, &work);
    const float *few[16 * TILE_ROWS];
    float stack_zeros[512];
    const float **pieces = s->kernel <= 16 ? few : malloc((size_t)s->kernel * TILE_ROWS * sizeof *pieces);
    float *zeros = depth <= 512 ? stack_zeros : malloc((size_t)depth * sizeof(float));
    if (!pieces || !zeros) abort();
    memset(zeros, 0, (size_t)depth * sizeof(float));
    // A block of rows whose panel products all read the same input, small enough to stay in the cache.
    const ptrdiff_t block = 20 * TILE_ROWS;
    for (ptrdiff_t begin = 0; begin < s->output_length; begin += block) {
        const ptrdiff_t end = begin + block < s->output_length ? begin + block : s->output_length;
        for (ptrdiff_t j = 0; j < n; j += TILE_COLUMNS) {
            const float *panel = panels + j / SN_PANEL * SN_PANEL * k + j % SN_PANEL;
            for (ptrdiff_t row = begin; row < end;) {
                const ptrdiff_t rows = next_tile(end - row, TILE_ROWS);
                for (ptrdiff_t t = 0; t < s->kernel; t++) {
                    const float **piece = pieces + t * TILE_ROWS;
                    bool padding = s->finite_weights;
                    for (ptrdiff_t i = 0; i < rows; i++) {
                        const ptrdiff_t p = position(s, row + i, t);
                        piece[i] = p < 0 ? zeros : x + p * s->input_stride;
                        padding = padding && p < 0;
                    }
                    if (padding) piece[0] = NULL;
                }
                do_tile(&d, &work, row, rows, j, n - j, s->kernel, depth, pieces, TILE_ROWS, panel, SN_PANEL);
                row += rows;
            }
        }
    }
    if (pieces != few) free(pieces);
    if (zeros != stack_zeros) free(zeros);
}

/// Channels of a tile with several vectors of positions; twice as many with one vector.
#if SN_SET == 2
#define CHANNEL_ROWS 8
#else
#define CHANNEL_ROWS 4
#endif
#define POSITION_VECTORS 3

/// The window of input positions under a tile of output positions: for each tap, [channels, stride].
struct window {
    float *data;
    ptrdiff_t tap_distance, stride;
};

/// tile[channels, vectors * W] = the sum over taps and input channels of weights times shifted positions.
INLINE void channel_product(int channels, int vectors, const struct sn_convolution *s, const struct window *w,
                            const float *panel, float *tile) {
    vf sums[2 * CHANNEL_ROWS][POSITION_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < channels; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sums[i][j] = splat(0);
    for (ptrdiff_t t = 0; t < s->kernel; t++) {
        const float *x = w->data + t * w->tap_distance;
        for (ptrdiff_t c = 0; c < s->input_channels; c++, panel += SN_PANEL, x += w->stride) {
            vf b[POSITION_VECTORS];
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) b[j] = load(x + j * W);
#pragma clang loop unroll(full)
            for (int i = 0; i < channels; i++) {
                const vf a = splat(panel[i]);
#pragma clang loop unroll(full)
                for (int j = 0; j < vectors; j++) sums[i][j] = fma_(a, b[j], sums[i][j]);
            }
        }
    }
    if (s->kernel > 1)
#pragma clang loop unroll(full)
        for (int i = 0; i < channels; i++)
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sums[i][j] = sums[i][j] + splat(0);
#pragma clang loop unroll(full)
    for (int i = 0; i < channels; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) store(tile + (i * vectors + j) * W, sums[i][j]);
}

static void channels_1(const struct sn_convolution *s, const struct window *w, const float *panel, float *tile) {
    channel_product(2 * CHANNEL_ROWS, 1, s, w, panel, tile);
}
static void channels_2(const struct sn_convolution *s, const struct window *w, const float *panel, float *tile) {
    channel_product(CHANNEL_ROWS, 2, s, w, panel, tile);
}
static void channels_3(const struct sn_convolution *s, const struct window *w, const float *panel, float *tile) {
    channel_product(CHANNEL_ROWS, 3, s, w, panel, tile);
}

/// dst[0 ..< count] = x[start ..< start + count], zeros outside of 0 ..< length.
static void copy_window(const float *x, ptrdiff_t length, ptrdiff_t start, ptrdiff_t count, float *dst) {
    ptrdiff_t from = start < 0 ? -start : 0;
    ptrdiff_t to = length - start < count ? length - start : count;
    if (from > count) from = count;
    if (to < from) to = from;
    ptrdiff_t i = 0;
    if (from > 0)
        for (; i < from; i += W) store_n(dst + i, splat(0), from - i);
    for (i = from; i < to; i += W) store_n(dst + i, load_n(x + start + i, to - i), to - i);
    for (i = to; i < count; i += W) store_n(dst + i, splat(0), count - i);
}

static void fill_window(const struct sn_convolution *s, const float *x, ptrdiff_t first, ptrdiff_t positions,
                        const struct window *w) {
    if (w->tap_distance == s->dilation) {
        for (ptrdiff_t c = 0; c < s->input_channels; c++)
            copy_window(x + c * s->input_stride, s->length, first - s->pad_begin, w->stride, w->data + c * w->stride);
        return;
    }
    for (ptrdiff_t t = 0; t < s->kernel; t++)
        for (ptrdiff_t c = 0; c < s->input_channels; c++) {
            float *row = w->data + t * w->tap_distance + c * w->stride;
            if (s->stride == 1) {
                copy_window(x + c * s->input_stride, s->length, first + t * s->dilation - s->pad_begin, positions, row);
                continue;
            }
            for (ptrdiff_t i = 0; i < positions; i++) {
                const ptrdiff_t p = position(s, first + i, t);
                row[i] = p < 0 ? 0 : x[c * s->input_stride + p];
            }
        }
}

static void convolve_channels(const struct sn_convolution *s, const float *x, const float *panels, float *y,
                              const struct sn_epilogue *e, ptrdiff_t residual_stride) {
    static void (*const products[])(const struct sn_convolution *, const struct window *, const float *, float *) = {
        NULL, channels_1, channels_2, channels_3};
    const ptrdiff_t k = s->input_channels * s->kernel, n = s->output_channels;
    const ptrdiff_t all = (s->output_length + W - 1) / W;
    const ptrdiff_t widest = (all < POSITION_VECTORS ? all : POSITION_VECTORS) * W;
    // One copy serves all taps if they overlap; else each tap has its own.
    const bool shared = s->stride == 1 && s->dilation <= widest;
    const ptrdiff_t halo = shared ? s->dilation * (s->kernel - 1) : 0;
    const ptrdiff_t size = shared ? s->input_channels * (widest + halo) : k * widest;
    _Alignas(64) float tile[CHANNEL_ROWS * POSITION_VECTORS * W];
    _Alignas(64) float stack[STACK_FLOATS];
    struct window w = {size <= STACK_FLOATS ? stack : malloc((size_t)size * sizeof(float)), 0, 0};
    if (!w.data) abort();
    for (ptrdiff_t first = 0; first < s->output_length;) {
        const ptrdiff_t left = s->output_length - first;
        const ptrdiff_t vectors = next_tile((left + W - 1) / W, POSITION_VECTORS);
        const ptrdiff_t positions = left < vectors * W ? left : vectors * W;
        const ptrdiff_t channels = vectors == 1 ? 2 * CHANNEL_ROWS : CHANNEL_ROWS;
        w.stride = vectors * W + halo;
        w.tap_distance = shared ? s->dilation : s->input_channels * w.stride;
        fill_window(s, x, first, vectors * W, &w);
        for (ptrdiff_t j = 0; j < n; j += channels) {
            products[vectors](s, &w, panels + j / SN_PANEL * SN_PANEL * k + j % SN_PANEL, tile);
            const ptrdiff_t rows = n - j < channels ? n - j : channels;
            epilogue_part(e, false, j, rows, first, positions, tile, vectors * W, y + j * s->output_stride + first,
                          s->output_stride, residual_stride);
        }
        first += positions;
    }
    if (w.data != stack) free(w.data);
}
