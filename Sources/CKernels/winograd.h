// 1-D convolutions of stride 1 by minimal filtering (Toom and Cook; Winograd, "Arithmetic Complexity of Computations", 1980):
// a tile of 9 - kernel outputs, `dilation` apart, takes 8 products where their sums take kernel * (9 - kernel). Tiles begin at
// multiples of (9 - kernel) * dilation from a sequence's first output on: an output's bits depend on its tile's inputs alone.

/// The block of tiles being gathered, of one sequence or of several.
struct filtering {
    const struct sn_convolution *s;
    const struct sn_epilogue *e;
    const float *panels;
    float *y;
    ptrdiff_t residual_stride;
    ptrdiff_t reach; ///< Outputs of a tile.
    struct sn_winograd_block block;
    float *inputs, *products; ///< [SN_WINOGRAD_POINTS, tiles, width].
    ptrdiff_t count;
    struct {
        const struct sn_convolution_part *part;
        ptrdiff_t first; ///< The tile's first output.
    } tiles[SN_WINOGRAD_TILES];
};

/// At the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.
#define TRANSFORM_INPUTS(LOAD)                                                                                \
    {                                                                                                         \
        vf x[SN_WINOGRAD_POINTS];                                                                             \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < SN_WINOGRAD_POINTS; i++) x[i] = LOAD(rows[i] + c); \
        const vf even1 = fma_(splat(-4.25f), x[4], x[2] + x[6]), odd1 = fma_(splat(-4.25f), x[3], x[1] + x[5]); \
        const vf even2 = fma_(splat(0.25f), x[2], fma_(splat(-1.25f), x[4], x[6]));                           \
        const vf odd2 = fma_(splat(0.5f), x[1], fma_(splat(-2.5f), x[3], 2 * x[5]));                          \
        const vf even3 = fma_(splat(4), x[2], fma_(splat(-5), x[4], x[6]));                                   \
        const vf odd3 = fma_(splat(2), x[1], fma_(splat(-2.5f), x[3], 0.5f * x[5]));                          \
        store(v + c, fma_(splat(5.25f), x[4] - x[2], x[0] - x[6]));                                           \
        store(v + distance + c, even1 + odd1);                                                                \
        store(v + 2 * distance + c, even1 - odd1);                                                            \
        store(v + 3 * distance + c, even2 + odd2);                                                            \
        store(v + 4 * distance + c, even2 - odd2);                                                            \
        store(v + 5 * distance + c, even3 + odd3);                                                            \
        store(v + 6 * distance + c, even3 - odd3);                                                            \
        store(v + 7 * distance + c, fma_(splat(5.25f), x[3] - x[5], x[7] - x[1]));                            \
    }

static void transform_inputs(const float *const *rows, ptrdiff_t channels, float *v, ptrdiff_t distance) {
    ptrdiff_t c = 0;
#define LOAD_REST(P) load_part(P, channels - c)
    for (; c + W <= channels; c += W) TRANSFORM_INPUTS(load)
    if (c < channels) TRANSFORM_INPUTS(LOAD_REST)
#undef LOAD_REST
}

/// What is done to a tile's outputs on their way to `y`; null for none.
struct tile_steps {
    const float *bias, *residual;
    bool cut; ///< At 0, before the residual; only with a bias.
};

/// y[reach, columns] from the products at the points; rows of `y` and of the residual are `stride` apart.
INLINE void transform_products(int reach, bool biased, bool cut, bool adds, ptrdiff_t columns, const float *m,
                               ptrdiff_t distance, const struct tile_steps *steps, float *y, ptrdiff_t stride) {
    for (ptrdiff_t c = 0; c < columns; c += W, m += W) {
        const vf p1 = load(m + distance), n1 = load(m + 2 * distance), p2 = load(m + 3 * distance);
        const vf n2 = load(m + 4 * distance), p3 = load(m + 5 * distance), n3 = load(m + 6 * distance);
        const vf even1 = p1 + n1, odd1 = p1 - n1, even2 = p2 + n2, odd2 = p2 - n2, even3 = p3 + n3, odd3 = p3 - n3;
#pragma clang loop unroll(full)
        for (int i = 0; i < reach; i++) {
            const float power = (float)(1 << i), inverse = 1 / power;
            vf sum = i % 2 ? fma_(splat(power), odd2, fma_(splat(inverse), odd3, odd1))
                           : fma_(splat(power), even2, fma_(splat(inverse), even3, even1));
            if (i == 0) sum = sum + load(m);
            if (i == reach - 1) sum = sum + load(m + 7 * distance);
            if (biased) sum = sum + load(steps->bias + c);
            if (cut) sum = relu_(sum);
            if (adds) sum = load(steps->residual + i * stride + c) + sum;
            store(y + i * stride + c, sum);
        }
    }
}
#define DEFINE_REACH(REACH)                                                                                   \
    static void products_##REACH(ptrdiff_t columns, const float *m, ptrdiff_t distance,                       \
                                 const struct tile_steps *s, float *y, ptrdiff_t stride) {                    \
        if (!s->bias) transform_products(REACH, false, false, false, columns, m, distance, s, y, stride);     \
        else if (!s->residual && !s->cut)                                                                     \
            transform_products(REACH, true, false, false, columns, m, distance, s, y, stride);                \
        else if (!s->residual) transform_products(REACH, true, true, false, columns, m, distance, s, y, stride); \
        else if (!s->cut) transform_products(REACH, true, false, true, columns, m, distance, s, y, stride);   \
        else transform_products(REACH, true, true, true, columns, m, distance, s, y, stride);                 \
    }
DEFINE_REACH(2) DEFINE_REACH(3) DEFINE_REACH(4) DEFINE_REACH(5) DEFINE_REACH(6)

#define REACH_COLUMNS 64

/// The tile at `index` of the block: those of its outputs that are asked for, to their places.
static void finish_filtered(const struct filtering *f, ptrdiff_t index) {
    static void (*const transforms[])(ptrdiff_t, const float *, ptrdiff_t, const struct tile_steps *, float *, ptrdiff_t) = {
        NULL, NULL, products_2, products_3, products_4, products_5, products_6};
    const struct sn_convolution *s = f->s;
    const struct sn_convolution_part *part = f->tiles[index].part;
    const ptrdiff_t first = f->tiles[index].first, step = s->dilation, n = s->output_channels;
    const float *m = f->products + index * f->block.output_width;
    const ptrdiff_t to = first + (f->reach - 1) * step < part->end ? f->reach : (part->end - first + step - 1) / step;
    const ptrdiff_t from = first < part->begin ? (part->begin - first + step - 1) / step : 0;
    float *y = f->y + (part->target + first) * s->output_stride;
    const struct sn_epilogue *e = f->e;
    const bool whole = to - from == f->reach && n % W == 0 && (!e->residual || f->residual_stride == s->output_stride);
    const bool cuts = e->activation == SN_RELU, plain = e->activation == SN_IDENTITY && !e->residual;
    if (whole && !e->scale && !e->mask && (e->bias ? cuts || e->activation == SN_IDENTITY : plain)) {
        const float *residual = e->residual ? e->residual + (y - f->y) : NULL;
        const struct tile_steps steps = {e->bias, residual, cuts};
        transforms[f->reach](n, m, f->block.output_distance, &steps, y, step * s->output_stride);
        return;
    }
    const struct tile_steps none = {NULL, NULL, false};
    _Alignas(64) float tile[6 * REACH_COLUMNS];
    // A mask has one factor a position: where rows are apart in it, they go one by one.
    const ptrdiff_t rows = e->mask && step > 1 ? 1 : to - from;
    for (ptrdiff_t j = 0; j < n; j += REACH_COLUMNS) {
        const ptrdiff_t columns = n - j < REACH_COLUMNS ? n - j : REACH_COLUMNS;
        transforms[f->reach](columns, m + j, f->block.output_distance, &none, tile, REACH_COLUMNS);
        for (ptrdiff_t i = from; i < to; i += rows) {
            struct sn_epilogue at = *e;
            const ptrdiff_t row = part->target + first + i * step;
            if (at.mask) at.mask += row;
            if (at.residual) at.residual += row * f->residual_stride;
            epilogue_part(&at, true, 0, rows, j, columns, tile + i * REACH_COLUMNS, REACH_COLUMNS,
                          y + i * step * s->output_stride + j, step * s->output_stride, step * f->residual_stride);
        }
    }
}

/// The block's products at one point; the columns behind the last are zeros.
static void multiply_point(const struct filtering *f, const float *inputs, const float *panels, float *products) {
    const ptrdiff_t k = f->s->input_channels, n = f->s->output_channels;
    const float *rows[SN_WINOGRAD_TILES];
    for (ptrdiff_t i = 0; i < f->count; i++) rows[i] = inputs + i * f->block.input_width;
    for (ptrdiff_t j = 0; j < n; j += TILE_COLUMNS) {
        const float *panel = panels + j / SN_PANEL * SN_PANEL * k + j % SN_PANEL;
        for (ptrdiff_t i = 0; i < f->count;) {
            const ptrdiff_t count = next_tile(f->count - i, TILE_ROWS);
            const struct tile_output o = plain_sums(products + i * f->block.output_width + j, f->block.output_width);
            (n - j <= W ? slim_tiles : tiles)[count](1, k, rows + i, 0, panel, SN_PANEL, &o);
            i += count;
        }
    }
}

static void filter_block(struct filtering *f) {
    const ptrdiff_t of_point = (f->s->output_channels + SN_PANEL - 1) / SN_PANEL * SN_PANEL * f->s->input_channels;
    for (ptrdiff_t p = 0; p < SN_WINOGRAD_POINTS; p++)
        multiply_point(f, f->inputs + p * f->block.input_distance, f->panels + p * of_point,
                       f->products + p * f->block.output_distance);
    for (ptrdiff_t i = 0; i < f->count; i++) finish_filtered(f, i);
    f->count = 0;
}

static void filter_rows(const struct sn_convolution *shape, const float *x, const float *panels, float *y,
                        const struct sn_epilogue *e, ptrdiff_t residual_stride, const struct sn_convolution_part *parts,
                        ptrdiff_t count, float *scratch) {
    struct sn_convolution s = *shape;
    struct filtering f = {.s = &s, .e = e, .panels = panels, .y = y, .residual_stride = residual_stride,
                          .reach = SN_WINOGRAD_POINTS + 1 - s.kernel,
                          .block = sn_winograd_block(s.input_channels, s.output_channels)};
    float *zeros = scratch;
    f.inputs = zeros + f.block.input_width;
    f.products = f.inputs + SN_WINOGRAD_POINTS * f.block.input_distance;
    memset(zeros, 0, (size_t)s.input_channels * sizeof(float));
    const ptrdiff_t span = f.reach * s.dilation, last = span - s.dilation;
    for (const struct sn_convolution_part *part = parts; part < parts + count; part++) {
        s.length = part->length;
        const float *sequence = x + part->source * s.input_stride;
        for (ptrdiff_t base = part->begin / span * span; base < part->end; base += span) {
            const ptrdiff_t after = base + s.dilation < part->end ? base + s.dilation : part->end;
            for (ptrdiff_t first = base + last < part->begin ? part->begin - last : base; first < after; first++) {
                const float *rows[SN_WINOGRAD_POINTS];
                for (int i = 0; i < SN_WINOGRAD_POINTS; i++) {
                    const ptrdiff_t p = position(&s, first, i);
                    rows[i] = p < 0 ? zeros : sequence + p * s.input_stride;
                }
                transform_inputs(rows, s.input_channels, f.inputs + f.count * f.block.input_width, f.block.input_distance);
                f.tiles[f.count].part = part;
                f.tiles[f.count++].first = first;
                if (f.count == SN_WINOGRAD_TILES) filter_block(&f);
            }
        }
    }
    if (f.count > 0) filter_block(&f);
}
