// Products with a packed right operand. Every element of the result is one running sum over k in ascending order, each
// step one multiply-add, whatever the tile it falls in: so the bits of a row depend on nothing but that row and B.

/// Vectors of a panel that one tile covers, and the most rows of a tile.
#define TILE_VECTORS 2
#if SN_SET == 2
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif
#define TILE_COLUMNS (TILE_VECTORS * W)
/// Vectors of a tile of very few rows, across panels if need be.
#define WIDE_VECTORS 8
#define WIDE_COLUMNS (WIDE_VECTORS * W)
#if SN_SET == 2
#define WIDE_ROWS 3
#else
#define WIDE_ROWS 1
#endif

/// Up to W rows and W columns of a panel; each column stands in one piece.
static void pack_square(ptrdiff_t height, ptrdiff_t width, const float *b, ptrdiff_t column_stride, float *panel) {
    vf square[W];
    for (ptrdiff_t c = 0; c < W; c++) square[c] = c < width ? load_n(b + c * column_stride, height) : splat(0);
    transpose_square(square);
    for (ptrdiff_t r = 0; r < W && r < height; r++) store(panel + r * SN_PANEL, square[r]);
}

static void pack(ptrdiff_t k, ptrdiff_t n, const float *b, ptrdiff_t row_stride, ptrdiff_t column_stride, float *panels) {
    for (ptrdiff_t j = 0; j < n; j += SN_PANEL, panels += k * SN_PANEL) {
        const ptrdiff_t width = n - j < SN_PANEL ? n - j : SN_PANEL;
        const float *block = b + j * column_stride;
        if (column_stride == 1) {
            for (ptrdiff_t i = 0; i < k; i++) {
                memcpy(panels + i * SN_PANEL, block + i * row_stride, (size_t)width * sizeof(float));
                memset(panels + i * SN_PANEL + width, 0, (size_t)(SN_PANEL - width) * sizeof(float));
            }
            continue;
        }
        if (row_stride == 1) {
            for (ptrdiff_t i = 0; i < k; i += W)
                for (ptrdiff_t c = 0; c < SN_PANEL; c += W)
                    pack_square(k - i, width - c, block + i + c * column_stride, column_stride, panels + i * SN_PANEL + c);
            continue;
        }
        for (ptrdiff_t i = 0; i < k; i++)
            for (ptrdiff_t c = 0; c < SN_PANEL; c++)
                panels[i * SN_PANEL + c] = c < width ? block[i * row_stride + c * column_stride] : 0;
    }
}

/// What becomes of a tile's sums while they are in registers: y = residual + (alpha * sum + bias).
struct tile_output {
    float *y;
    ptrdiff_t stride;
    const float *bias, *residual; ///< Null for none; the bias has one row for all.
    ptrdiff_t residual_stride;
    float alpha;
};

/// Sums that stay as they are.
INLINE struct tile_output plain_sums(float *y, ptrdiff_t stride) {
    return (struct tile_output){y, stride, NULL, NULL, 0, 1};
}

/// Finishes and writes `rows` times `vectors` sums.
#define WRITE_SUMS(ROWS, VECTORS, SUMS, O)                                                                    \
    do {                                                                                                      \
        if ((O)->alpha != 1.0f) EACH_SUM(ROWS, VECTORS, SUMS[i][j] = SUMS[i][j] * (O)->alpha)                 \
        if ((O)->bias) EACH_SUM(ROWS, VECTORS, SUMS[i][j] = SUMS[i][j] + load((O)->bias + j * W))             \
        if ((O)->residual)                                                                                    \
            EACH_SUM(ROWS, VECTORS,                                                                           \
                     SUMS[i][j] = load((O)->residual + i * (O)->residual_stride + j * W) + SUMS[i][j])        \
        EACH_SUM(ROWS, VECTORS, store((O)->y + i * (O)->stride + j * W, SUMS[i][j]))                          \
    } while (0)
#define EACH_SUM(ROWS, VECTORS, STATEMENT)                                                                    \
    {                                                                                                         \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < VECTORS; j++)                                  \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) STATEMENT;                      \
    }

/// output[rows, vectors * W] from the sums over `taps` pieces of `depth` of row pieces times panel rows. A tap whose first
/// piece is null adds zeros; that it is left out shows in no bit, as with more than one tap a sum that is zero is +0.
INLINE void tile_product(int rows, int vectors, ptrdiff_t taps, ptrdiff_t depth, const float *const *pieces,
                         ptrdiff_t pieces_stride, const float *panel, ptrdiff_t panel_stride,
                         const struct tile_output *output) {
    vf sums[TILE_ROWS][TILE_VECTORS];
    EACH_SUM(rows, vectors, sums[i][j] = splat(0))
    for (ptrdiff_t t = 0; t < taps; t++, pieces += pieces_stride) {
        const float *a[TILE_ROWS];
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) a[i] = pieces[i];
        if (!a[0]) {
            panel += depth * panel_stride;
            continue;
        }
        for (ptrdiff_t c = 0; c < depth; c++, panel += panel_stride) {
            vf b[TILE_VECTORS];
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) b[j] = load(panel + j * W);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                const vf x = splat(a[i][c]);
#pragma clang loop unroll(full)
                for (int j = 0; j < vectors; j++) sums[i][j] = fma_(x, b[j], sums[i][j]);
            }
        }
    }
    if (taps > 1) EACH_SUM(rows, vectors, sums[i][j] = sums[i][j] + splat(0))
    WRITE_SUMS(rows, vectors, sums, output);
}

#define DEFINE_TILE(ROWS)                                                                                     \
    static void tile_##ROWS(ptrdiff_t taps, ptrdiff_t depth, const float *const *pieces,                      \
                            ptrdiff_t pieces_stride, const float *panel, ptrdiff_t stride,                    \
                            const struct tile_output *output) {                                               \
        tile_product(ROWS, TILE_VECTORS, taps, depth, pieces, pieces_stride, panel, stride, output);          \
    }                                                                                                         \
    static void slim_tile_##ROWS(ptrdiff_t taps, ptrdiff_t depth, const float *const *pieces,                 \
                                 ptrdiff_t pieces_stride, const float *panel, ptrdiff_t stride,               \
                                 const struct tile_output *output) {                                          \
        tile_product(ROWS, 1, taps, depth, pieces, pieces_stride, panel, stride, output);                     \
    }
DEFINE_TILE(1) DEFINE_TILE(2) DEFINE_TILE(3) DEFINE_TILE(4) DEFINE_TILE(5) DEFINE_TILE(6)
#if TILE_ROWS > 6
DEFINE_TILE(7) DEFINE_TILE(8) DEFINE_TILE(9) DEFINE_TILE(10) DEFINE_TILE(11) DEFINE_TILE(12)
#endif

typedef void (*tile_function)(ptrdiff_t, ptrdiff_t, const float *const *, ptrdiff_t, const float *, ptrdiff_t,
                              const struct tile_output *);
static const tile_function tiles[TILE_ROWS + 1] = {
    NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6,
#if TILE_ROWS > 6
    tile_7, tile_8, tile_9, tile_10, tile_11, tile_12,
#endif
};
/// Of one vector, for the last columns.
static const tile_function slim_tiles[TILE_ROWS + 1] = {
    NULL, slim_tile_1, slim_tile_2, slim_tile_3, slim_tile_4, slim_tile_5, slim_tile_6,
#if TILE_ROWS > 6
    slim_tile_7, slim_tile_8, slim_tile_9, slim_tile_10, slim_tile_11, slim_tile_12,
#endif
};

/// output[rows, WIDE_COLUMNS] of few rows, from as many panels as that takes.
INLINE void wide_product(int rows, ptrdiff_t depth, const float *a, ptrdiff_t lda, const float *panel,
                         ptrdiff_t panel_stride, ptrdiff_t panel_distance, const struct tile_output *output) {
    vf sums[WIDE_ROWS][WIDE_VECTORS];
    EACH_SUM(rows, WIDE_VECTORS, sums[i][j] = splat(0))
    for (ptrdiff_t c = 0; c < depth; c++, panel += panel_stride) {
#pragma clang loop unroll(full)
        for (int j = 0; j < WIDE_VECTORS; j++) {
            const vf b = load(panel + j * W / SN_PANEL * panel_distance + j * W % SN_PANEL);
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) sums[i][j] = fma_(splat(a[i * lda + c]), b, sums[i][j]);
        }
    }
    WRITE_SUMS(rows, WIDE_VECTORS, sums, output);
}

/// c = c * scale + shift, the scale a row for all and rows of the shift `stride` apart.
struct tile_affine {
    const float *scale, *shift;
    ptrdiff_t stride;
};

/// Where finished tiles go, and what is done on the way.
struct destination {
    float *c;
    ptrdiff_t ldc, residual_stride;
    float alpha, beta;
    const struct sn_epilogue *epilogue;
    const struct tile_affine *affine;
};

/// Asks for the lines that a tile will write and add, while its product is computed.
INLINE void prefetch_destination(const struct destination *d, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column) {
    // What a loop scales and shifts has been written in the step before.
    if (d->affine) return;
    const float *residual = d->epilogue ? d->epilogue->residual : NULL;
    for (ptrdiff_t i = row; i < row + rows; i++) {
        for (int j = 0; j < TILE_COLUMNS; j += 16) __builtin_prefetch(d->c + i * d->ldc + column + j, 1);
        if (!residual) continue;
        for (int j = 0; j < TILE_COLUMNS; j += 16) __builtin_prefetch(residual + i * d->residual_stride + column + j);
    }
}

/// Whole vectors first, without asking what is left.
INLINE void scale_tile(ptrdiff_t rows, ptrdiff_t columns, const float *tile, ptrdiff_t tile_stride, const float *scale,
                       const float *shift, ptrdiff_t stride, float *c, ptrdiff_t ldc) {
    ptrdiff_t j = 0;
    for (; j + 2 * W <= columns; j += 2 * W) {
        const vf s = load(scale + j), t = load(scale + j + W);
        const float *x = tile + j, *y = shift + j;
        float *z = c + j;
        for (ptrdiff_t i = 0; i < rows; i++, x += tile_stride, y += stride, z += ldc) {
            store(z, fma_(load(x), s, load(y)));
            store(z + W, fma_(load(x + W), t, load(y + W)));
        }
    }
    for (; j < columns; j += W) {
        const ptrdiff_t left = columns - j;
        const vf s = load_n(scale + j, left);
        for (ptrdiff_t i = 0; i < rows; i++)
            store_n(c + i * ldc + j, fma_(load(tile + i * tile_stride + j), s, load_n(shift + i * stride + j, left)), left);
    }
}

static void finish_tile(const struct destination *d, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns,
                        float *tile, ptrdiff_t tile_stride) {
    float *c = d->c + row * d->ldc + column;
    if (d->alpha != 1.0f || d->beta != 0.0f)
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t j = 0; j < columns; j += W) {
                float *t = tile + i * tile_stride + j;
                vf v = load(t) * d->alpha;
                if (d->beta != 0.0f) v = fma_(splat(d->beta), load_n(c + i * d->ldc + j, columns - j), v);
                store(t, v);
            }
    if (d->affine) {
        const struct tile_affine *f = d->affine;
        scale_tile(rows, columns, tile, tile_stride, f->scale + column, f->shift + row * f->stride + column, f->stride, c,
                   d->ldc);
        return;
    }
    if (d->epilogue) {
        epilogue_part(d->epilogue, true, row, rows, column, columns, tile, tile_stride, c, d->ldc, d->residual_stride);
        return;
    }
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < columns; j += W)
            store_n(c + i * d->ldc + j, load(tile + i * tile_stride + j), columns - j);
}

/// What of the work on whole tiles is done while sums are in registers, and what is left to `finish_tile`.
struct tile_work {
    struct tile_output registers; ///< To the destination, if nothing is left.
    bool finishes;                ///< Nothing is left.
    struct destination rest;
    struct sn_epilogue epilogue;
};

INLINE void divide_work(const struct destination *d, struct tile_work *w) {
    const struct sn_epilogue *e = d->epilogue;
    w->registers = plain_sums(d->c, d->ldc);
    w->rest = *d;
    w->finishes = false;
    if (d->beta != 0.0f || d->affine) return;
    w->registers.alpha = d->alpha;
    w->rest.alpha = 1;
    w->finishes = !e;
    if (!e || e->scale) return;
    w->registers.bias = e->bias;
    w->epilogue = *e;
    w->epilogue.bias = NULL;
    w->rest.epilogue = &w->epilogue;
    w->finishes = e->activation == SN_IDENTITY && !e->mask;
    if (!w->finishes) return;
    w->registers.residual = e->residual;
    w->registers.residual_stride = d->residual_stride;
}

/// Where the whole tile at (row, column) goes: to its place, or to `tile`, whose rows are `stride` apart.
INLINE struct tile_output aim(const struct tile_work *w, ptrdiff_t row, ptrdiff_t column, float *tile, ptrdiff_t stride) {
    struct tile_output o = w->registers;
    o.y = w->finishes ? o.y + row * o.stride + column : tile;
    o.stride = w->finishes ? o.stride : stride;
    if (o.bias) o.bias += column;
    if (o.residual) o.residual += row * o.residual_stride + column;
    return o;
}

/// The product at (row, column), of which `left` columns (1 ...) are still to do, to its place.
INLINE void do_tile(const struct destination *d, const struct tile_work *w, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
                    ptrdiff_t left, ptrdiff_t taps, ptrdiff_t depth, const float *const *pieces, ptrdiff_t pieces_stride,
                    const float *panel, ptrdiff_t panel_stride) {
    _Alignas(64) float tile[TILE_ROWS * TILE_COLUMNS];
    prefetch_destination(d, row, rows, column);
    const ptrdiff_t width = left <= W ? W : TILE_COLUMNS;
    const bool all = width <= left;
    const struct tile_output o = all ? aim(w, row, column, tile, TILE_COLUMNS) : plain_sums(tile, TILE_COLUMNS);
    (left <= W ? slim_tiles : tiles)[rows](taps, depth, pieces, pieces_stride, panel, panel_stride, &o);
    if (!all) finish_tile(d, row, rows, column, left, tile, TILE_COLUMNS);
    else if (!w->finishes) finish_tile(&w->rest, row, rows, column, width, tile, TILE_COLUMNS);
}

/// `total` rows in tiles of at most `limit` that differ by one row at most; the number of rows of the next tile.
INLINE ptrdiff_t next_tile(ptrdiff_t left, ptrdiff_t limit) {
    const ptrdiff_t count = (left + limit - 1) / limit;
    return (left + count - 1) / count;
}

/// The right operand: panels of SN_PANEL columns `distance` apart, their rows `stride` apart.
struct panels {
    const float *data;
    ptrdiff_t stride, distance;
    bool backward; ///< The last are read first.
};

/// Which of `count` parts of B is read as number `index`.
INLINE ptrdiff_t part_of(const struct panels *b, ptrdiff_t index, ptrdiff_t count) {
    return b->backward ? count - 1 - index : index;
}

/// A few rows: wide tiles, then whatever columns are left over; returns the first column not done.
static ptrdiff_t multiply_few(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                              const struct panels *b, const struct destination *d) {
    _Alignas(64) float tile[WIDE_ROWS * WIDE_COLUMNS];
    struct tile_work work;
    divide_work(d, &work);
    const ptrdiff_t count = (n + SN_PANEL - 1) / SN_PANEL * SN_PANEL / WIDE_COLUMNS;
    for (ptrdiff_t part = 0; part < count; part++) {
        const ptrdiff_t j = part_of(b, part, count) * WIDE_COLUMNS;
        const float *panel = b->data + j / SN_PANEL * b->distance;
        const bool all = j + WIDE_COLUMNS <= n;
        const struct tile_output o = all ? aim(&work, 0, j, tile, WIDE_COLUMNS) : plain_sums(tile, WIDE_COLUMNS);
        if (m == 1) wide_product(1, k, a, lda, panel, b->stride, b->distance, &o);
#if WIDE_ROWS > 1
        else if (m == 2) wide_product(2, k, a, lda, panel, b->stride, b->distance, &o);
        else wide_product(3, k, a, lda, panel, b->stride, b->distance, &o);
#endif
        if (!all) finish_tile(d, 0, m, j, n - j, tile, WIDE_COLUMNS);
        else if (!work.finishes) finish_tile(&work.rest, 0, m, j, WIDE_COLUMNS, tile, WIDE_COLUMNS);
    }
    return count * WIDE_COLUMNS;
}

/// Rows, in whole tiles, of a block that stays in a cache while all panels pass by.
INLINE ptrdiff_t block_rows(ptrdiff_t n, ptrdiff_t k) {
    // B from the second-level cache and rows from the first, or B from memory and rows from the second.
    const ptrdiff_t floats = n * k <= 262144 ? 3072 : 131072;
    const ptrdiff_t rows = k > 0 ? floats / k / TILE_ROWS * TILE_ROWS : 131072;
    const ptrdiff_t least = n * k <= 262144 ? TILE_ROWS : 4 * TILE_ROWS;
    return rows > least ? rows : least;
}

static void multiply_panels(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                            const struct panels *b, const struct destination *d) {
    struct tile_work work;
    divide_work(d, &work);
    const ptrdiff_t first = m <= WIDE_ROWS ? multiply_few(m, n, k, a, lda, b, d) : 0;
    const ptrdiff_t block = block_rows(n, k), count = (n - first + TILE_COLUMNS - 1) / TILE_COLUMNS;
    for (ptrdiff_t begin = 0; begin < m; begin += block) {
        const ptrdiff_t end = begin + block < m ? begin + block : m;
        for (ptrdiff_t part = 0; part < count; part++) {
            const ptrdiff_t j = first + part_of(b, part, count) * TILE_COLUMNS;
            const float *panel = b->data + j / SN_PANEL * b->distance + j % SN_PANEL;
            for (ptrdiff_t row = begin; row < end;) {
                const ptrdiff_t rows = next_tile(end - row, TILE_ROWS);
                const float *pieces[TILE_ROWS];
                for (ptrdiff_t i = 0; i < rows; i++) pieces[i] = a + (row + i) * lda;
                do_tile(d, &work, row, rows, j, n - j, 1, k, pieces, 0, panel, b->stride);
                row += rows;
            }
        }
    }
}

static void multiply(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                     const float *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                     ptrdiff_t residual_stride) {
    const struct destination d = {c, ldc, residual_stride, alpha, beta, e, NULL};
    const struct panels b = {panels, SN_PANEL, k * SN_PANEL, false};
    multiply_panels(m, n, k, a, lda, &b, &d);
}

static void multiply_backward(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                              const float *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                              ptrdiff_t residual_stride) {
    const struct destination d = {c, ldc, residual_stride, alpha, beta, e, NULL};
    const struct panels b = {panels, SN_PANEL, k * SN_PANEL, true};
    multiply_panels(m, n, k, a, lda, &b, &d);
}

/// C = alpha * A * B * scale + shift, the last two element by element: the scale is a row.
static void multiply_affine(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                            const float *panels, bool backward, const float *scale, const float *shift,
                            ptrdiff_t shift_stride, float *c, ptrdiff_t ldc) {
    const struct tile_affine affine = {scale, shift, shift_stride};
    const struct destination d = {c, ldc, 0, alpha, 0, NULL, &affine};
    const struct panels b = {panels, SN_PANEL, k * SN_PANEL, backward};
    multiply_panels(m, n, k, a, lda, &b, &d);
}

static void multiply_unpacked(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                              const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc, float *scratch) {
    const ptrdiff_t whole = n / SN_PANEL * SN_PANEL;
    struct destination d = {c, ldc, 0, alpha, beta, NULL, NULL};
    if (whole > 0) {
        const struct panels panels = {b, ldb, SN_PANEL, false};
        multiply_panels(m, whole, k, a, lda, &panels, &d);
    }
    if (whole == n) return;
    pack(k, n - whole, b + whole, ldb, 1, scratch);
    d.c = c + whole;
    const struct panels panels = {scratch, SN_PANEL, k * SN_PANEL, false};
    multiply_panels(m, n - whole, k, a, lda, &panels, &d);
}
