// Products of bfloat16 operands with sums in float32. The left operand is rounded as it is staged: a block of rows, from
// which every tile reads its windows in place. Sums run over the padded depth in ascending order, in steps that are the
// same for every row: so the bits of a row depend on nothing but that row and the weights, whatever shares its tile.
//
// SN_NARROW is 0 (float32 arithmetic on the rounded operands), 1 (AVX-512's products of pairs) or 2 (AMX tiles).

#ifndef SN_NARROW
#define SN_NARROW 0
#endif

#include "bfloat16.h"

/// The most rows of a tile; its columns are those of a panel.
#define NARROW_ROWS 32
/// Rows that the tile unit computes at least.
#define NARROW_STEP 16
/// Elements of a block of staged rows, about.
#define STAGED_ELEMENTS (96 * 1024)

static void round_row(ptrdiff_t n, const float *x, uint16_t *y) {
    ptrdiff_t i = 0;
#if SN_NARROW > 0
    for (; i + 32 <= n; i += 32) {
        const __m512bh pair = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
        _mm512_storeu_si512(y + i, (__m512i)pair);
    }
    if (i == n) return;
    const uint32_t left = (1u << (n - i)) - 1;
    const __m512 low = _mm512_maskz_loadu_ps((__mmask16)left, x + i);
    const __m512 high = _mm512_maskz_loadu_ps((__mmask16)(left >> 16), x + i + 16);
    _mm512_mask_storeu_epi16(y + i, left, (__m512i)_mm512_cvtne2ps_pbh(high, low));
#else
    for (; i < n; i++) y[i] = round_bfloat16(x[i]);
#endif
}

/// Rounded rows: the window of result row i has its tap t at data[i * row + t * tap], `depth` elements.
struct staged {
    const uint16_t *data;
    ptrdiff_t row, tap;
    ptrdiff_t taps, depth; ///< `depth` is a multiple of SN_NARROW_BLOCK.
};

#if SN_NARROW == 2

/// Tiles 0 ... 3 are sums, 4 and 5 rows, 6 and 7 halves of a panel.
static void begin_products(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t column_bytes[16];
        uint8_t rows[16];
    } configuration = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        configuration.column_bytes[i] = 64;
        configuration.rows[i] = NARROW_STEP;
    }
    _tile_loadconfig(&configuration);
}
static void end_products(void) { _tile_release(); }

#define TILE_BYTES (SN_PANEL * sizeof(float))
#define PANEL_BYTES (2 * SN_PANEL * sizeof(uint16_t))

/// tile[rows, SN_PANEL]; up to a multiple of NARROW_STEP, more rows than asked for are read and written.
static void narrow_tile(const struct staged *s, ptrdiff_t first, ptrdiff_t rows, const uint16_t *panel, float *tile) {
    const uint16_t *a = s->data + first * s->row;
    const size_t stride = (size_t)s->row * sizeof *a;
    const bool both = rows > NARROW_STEP;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (ptrdiff_t t = 0; t < s->taps; t++, a += s->tap)
        for (ptrdiff_t c = 0; c < s->depth; c += SN_NARROW_BLOCK, panel += SN_NARROW_BLOCK * SN_PANEL) {
            _tile_loadd(6, panel, PANEL_BYTES);
            _tile_loadd(4, a + c, stride);
            _tile_loadd(7, panel + SN_PANEL, PANEL_BYTES);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            if (!both) continue;
            _tile_loadd(5, a + c + NARROW_STEP * s->row, stride);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    _tile_stored(0, tile, TILE_BYTES);
    _tile_stored(1, tile + SN_PANEL / 2, TILE_BYTES);
    if (!both) return;
    tile += NARROW_STEP * SN_PANEL;
    _tile_stored(2, tile, TILE_BYTES);
    _tile_stored(3, tile + SN_PANEL / 2, TILE_BYTES);
}

#else

static void begin_products(void) {}
static void end_products(void) {}

/// sum + the products of a pair of elements with W pairs of weights; the pair's first element is the lower half.
INLINE vf add_pair(vf sum, uint32_t a, vi b) {
#if SN_NARROW == 1
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int32_t)a), (__m512bh)b);
#else
    const vi bits = (vi)splat(0) + (int32_t)a;
    sum = fma_((vf)(bits << 16), (vf)(b << 16), sum);
    return fma_((vf)(bits & (int32_t)0xffff0000), (vf)(b & (int32_t)0xffff0000), sum);
#endif
}

/// tile[rows, TILE_COLUMNS] in rows of SN_PANEL.
INLINE void narrow_part(int rows, const struct staged *s, const uint16_t *a, const uint16_t *panel, float *tile) {
    vf sums[TILE_ROWS][TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = splat(0);
    for (ptrdiff_t t = 0; t < s->taps; t++, a += s->tap)
        for (ptrdiff_t c = 0; c < s->depth; c += 2, panel += 2 * SN_PANEL) {
            vi b[TILE_VECTORS];
#pragma clang loop unroll(full)
            for (int j = 0; j < TILE_VECTORS; j++) memcpy(&b[j], panel + 2 * j * W, sizeof b[j]);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                uint32_t pair;
                memcpy(&pair, a + i * s->row + c, sizeof pair);
#pragma clang loop unroll(full)
                for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = add_pair(sums[i][j], pair, b[j]);
            }
        }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < TILE_VECTORS; j++) store(tile + i * SN_PANEL + j * W, sums[i][j]);
}

#define DEFINE_NARROW(ROWS)                                                                                   \
    static void narrow_##ROWS(const struct staged *s, const uint16_t *a, const uint16_t *panel, float *tile) { \
        narrow_part(ROWS, s, a, panel, tile);                                                                 \
    }
DEFINE_NARROW(1) DEFINE_NARROW(2) DEFINE_NARROW(3) DEFINE_NARROW(4) DEFINE_NARROW(5) DEFINE_NARROW(6)
#if TILE_ROWS > 6
DEFINE_NARROW(7) DEFINE_NARROW(8) DEFINE_NARROW(9) DEFINE_NARROW(10) DEFINE_NARROW(11) DEFINE_NARROW(12)
#endif

static void narrow_tile(const struct staged *s, ptrdiff_t first, ptrdiff_t rows, const uint16_t *panel, float *tile) {
    static void (*const parts[TILE_ROWS + 1])(const struct staged *, const uint16_t *, const uint16_t *, float *) = {
        NULL, narrow_1, narrow_2, narrow_3, narrow_4, narrow_5, narrow_6,
#if TILE_ROWS > 6
        narrow_7, narrow_8, narrow_9, narrow_10, narrow_11, narrow_12,
#endif
    };
    for (ptrdiff_t row = 0; row < rows;) {
        const ptrdiff_t part = next_tile(rows - row, TILE_ROWS);
        for (ptrdiff_t j = 0; j < SN_PANEL; j += TILE_COLUMNS)
            parts[part](s, s->data + (first + row) * s->row, panel + 2 * j, tile + row * SN_PANEL + j);
        row += part;
    }
}

#endif

/// The left operand, in memory by position or by channel.
struct source {
    const struct sn_convolution *s;
    const float *x;
    bool channels_last;
};

/// Rounds positions first, first + step, ... into rows of `width`; zeros outside of the input and behind the channels.
static void stage(const struct source *from, ptrdiff_t first, ptrdiff_t step, ptrdiff_t count, ptrdiff_t width,
                  uint16_t *rows, ptrdiff_t pitch) {
    enum { channel_block = 32, position_block = 16 };
    const struct sn_convolution *s = from->s;
    const ptrdiff_t depth = s->input_channels;
    for (ptrdiff_t i = 0; i < count; i++) {
        const ptrdiff_t p = first + i * step;
        uint16_t *row = rows + i * pitch;
        const bool inside = p >= 0 && p < s->length;
        if (inside && from->channels_last) round_row(depth, from->x + p * s->input_stride, row);
        const ptrdiff_t filled = inside ? depth : 0;
        if (filled < width) memset(row + filled, 0, (size_t)(width - filled) * sizeof *row);
    }
    if (from->channels_last) return;
    float block[position_block][channel_block];
    for (ptrdiff_t i = 0; i < count; i += position_block) {
        const ptrdiff_t height = count - i < position_block ? count - i : position_block;
        for (ptrdiff_t c = 0; c < depth; c += channel_block) {
            const ptrdiff_t channels = depth - c < channel_block ? depth - c : channel_block;
            for (ptrdiff_t j = 0; j < channels; j++)
                for (ptrdiff_t r = 0; r < height; r++) {
                    const ptrdiff_t p = first + (i + r) * step;
                    if (p >= 0 && p < s->length) block[r][j] = from->x[(c + j) * s->input_stride + p];
                }
            for (ptrdiff_t r = 0; r < height; r++) {
                const ptrdiff_t p = first + (i + r) * step;
                if (p >= 0 && p < s->length) round_row(channels, block[r], rows + (i + r) * pitch + c);
            }
        }
    }
}

/// How a product's rows are staged.
struct staging {
    struct staged at;
    bool windows;    ///< Positions once, read by every tap; else each row's window copied out.
    ptrdiff_t rows;  ///< Of a block; a multiple of NARROW_STEP.
    ptrdiff_t pitch; ///< From one staged row to the next.
    ptrdiff_t size;
};

/// Rows a cache line further apart than a power of two, which would all fall into the same few lines.
INLINE ptrdiff_t spread(ptrdiff_t width) { return width % 256 == 0 ? width + 32 : width; }

INLINE ptrdiff_t staged_rows(ptrdiff_t pitch, ptrdiff_t needed) {
    const ptrdiff_t fitting = STAGED_ELEMENTS / pitch / NARROW_ROWS * NARROW_ROWS;
    const ptrdiff_t rows = fitting < NARROW_ROWS ? NARROW_ROWS : fitting;
    return needed < rows ? needed : rows;
}

static struct staging plan_staging(const struct sn_convolution *s) {
    const ptrdiff_t piece = sn_narrow_piece(s->input_channels), k = sn_narrow_depth(s->kernel, s->input_channels);
    const ptrdiff_t needed = (s->output_length + NARROW_STEP - 1) / NARROW_STEP * NARROW_STEP;
    if (piece > 0 && piece % SN_NARROW_BLOCK == 0) {
        const ptrdiff_t pitch = spread(piece), rows = staged_rows(pitch, needed);
        const ptrdiff_t positions = (rows - 1) * s->stride + (s->kernel - 1) * s->dilation + 1;
        if (positions <= s->kernel * rows && (positions * pitch <= 2 * STAGED_ELEMENTS || rows <= NARROW_ROWS))
            return (struct staging){
                {NULL, s->stride * pitch, s->dilation * pitch, s->kernel, piece}, true, rows, pitch, positions * pitch};
    }
    const ptrdiff_t pitch = spread(k), rows = staged_rows(pitch, needed);
    return (struct staging){{NULL, pitch, 0, 1, k}, false, rows, pitch, rows * pitch};
}

static void stage_block(const struct source *from, const struct staging *plan, ptrdiff_t begin, ptrdiff_t rows,
                        uint16_t *data) {
    const struct sn_convolution *s = from->s;
    if (plan->windows) {
        const ptrdiff_t positions = (rows - 1) * s->stride + (s->kernel - 1) * s->dilation + 1;
        stage(from, begin * s->stride - s->pad_begin, 1, positions, plan->at.depth, data, plan->pitch);
        return;
    }
    const ptrdiff_t piece = sn_narrow_piece(s->input_channels);
    for (ptrdiff_t t = 0; t < s->kernel; t++)
        stage(from, begin * s->stride + t * s->dilation - s->pad_begin, s->stride, rows, piece, data + t * piece,
              plan->pitch);
    const ptrdiff_t used = s->kernel * piece;
    if (used == plan->at.depth) return;
    for (ptrdiff_t i = 0; i < rows; i++)
        memset(data + i * plan->pitch + used, 0, (size_t)(plan->at.depth - used) * sizeof *data);
}

/// The finished tile as channels of positions.
static void finish_channels(const struct destination *d, ptrdiff_t position, ptrdiff_t positions, ptrdiff_t channel,
                            ptrdiff_t channels, const float *tile) {
    _Alignas(64) float turned[SN_PANEL * NARROW_ROWS];
    for (ptrdiff_t j = 0; j < channels; j++)
        for (ptrdiff_t i = 0; i < positions; i++) turned[j * NARROW_ROWS + i] = tile[i * SN_PANEL + j];
    epilogue_part(d->epilogue, false, channel, channels, position, positions, turned, NARROW_ROWS,
                  d->c + channel * d->ldc + position, d->ldc, d->residual_stride);
}

static void narrow_product(const struct source *from, const uint16_t *panels, const struct destination *d) {
    const struct sn_convolution *s = from->s;
    const ptrdiff_t n = s->output_channels, panel_size = sn_narrow_depth(s->kernel, s->input_channels) * SN_PANEL;
    struct staging plan = plan_staging(s);
    uint16_t *data = aligned_alloc(64, ((size_t)plan.size * sizeof *data + 63) / 64 * 64);
    if (!data) abort();
    plan.at.data = data;
    _Alignas(64) float tile[NARROW_ROWS * SN_PANEL];
    begin_products();
    for (ptrdiff_t begin = 0; begin < s->output_length; begin += plan.rows) {
        const ptrdiff_t left = s->output_length - begin;
        const ptrdiff_t rows = left < plan.rows ? left : plan.rows;
        stage_block(from, &plan, begin, (rows + NARROW_STEP - 1) / NARROW_STEP * NARROW_STEP, data);
        for (ptrdiff_t j = 0; j < n; j += SN_PANEL) {
            const uint16_t *panel = panels + j / SN_PANEL * panel_size;
            const ptrdiff_t columns = n - j < SN_PANEL ? n - j : SN_PANEL;
            for (ptrdiff_t row = 0; row < rows; row += NARROW_ROWS) {
                const ptrdiff_t height = rows - row < NARROW_ROWS ? rows - row : NARROW_ROWS;
                narrow_tile(&plan.at, row, height, panel, tile);
                if (from->channels_last) finish_tile(d, begin + row, height, j, columns, tile, SN_PANEL);
                else finish_channels(d, begin + row, height, j, columns, tile);
            }
        }
    }
    end_products();
    free(data);
}

static void narrow_multiply(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                            const uint16_t *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                            ptrdiff_t residual_stride) {
    const struct sn_convolution s = {k, n, 1, 1, 1, 0, m, m, lda, ldc, false};
    const struct source from = {&s, a, true};
    const struct destination d = {c, ldc, residual_stride, alpha, beta, e, NULL};
    narrow_product(&from, panels, &d);
}

static void narrow_convolve_rows(const struct sn_convolution *s, const float *x, const uint16_t *panels, float *y,
                                 const struct sn_epilogue *e, ptrdiff_t residual_stride) {
    const struct source from = {s, x, true};
    const struct destination d = {y, s->output_stride, residual_stride, 1, 0, e, NULL};
    narrow_product(&from, panels, &d);
}

static void narrow_convolve_channels(const struct sn_convolution *s, const float *x, const uint16_t *panels, float *y,
                                     const struct sn_epilogue *e, ptrdiff_t residual_stride) {
    const struct source from = {s, x, false};
    const struct destination d = {y, s->output_stride, residual_stride, 1, 0, e, NULL};
    narrow_product(&from, panels, &d);
}

#define NARROW_TABLE                                                                                          \
    {                                                                                                         \
        .round = round_row, .multiply = narrow_multiply, .convolve_rows = narrow_convolve_rows,               \
        .convolve_channels = narrow_convolve_channels,                                                        \
    }
