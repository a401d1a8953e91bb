// Sums and extremes. A sum along a row has 64 running sums, element i in sum i mod 64, joined by one fixed tree, for
// every instruction set; along another axis, blocks of 128 are summed and then the blocks. Both start at +0, so that
// zeros at the end change no bit.

#define LANES 64

INLINE vf value_(vf x, vf shift) { (void)shift; return x; }
INLINE vf square_of(vf x, vf shift) { (void)shift; return x * x; }
INLINE vf square_of_difference(vf x, vf shift) { return (x - shift) * (x - shift); }
INLINE vf exponential_of_difference(vf x, vf shift) { return exp_normal(x - shift); }

/// The sum of a row's running sums.
INLINE float join_sums(vf *sums) {
    for (int half = LANES / W / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) sums[j] = sums[j] + sums[j + half];
    return sum_lanes(sums[0]);
}

#define DEFINE_ROW_SUM(NAME, F)                                                                               \
    static float NAME(const float *x, ptrdiff_t n, float by) {                                                \
        const vf shift = splat(by);                                                                           \
        vf sums[LANES / W];                                                                                   \
        for (int j = 0; j < LANES / W; j++) sums[j] = splat(0);                                               \
        ptrdiff_t i = 0;                                                                                      \
        for (; i + LANES <= n; i += LANES)                                                                    \
            for (int j = 0; j < LANES / W; j++) sums[j] = sums[j] + F(load(x + i + j * W), shift);            \
        for (int j = 0; j < LANES / W; j++) {                                                                 \
            const ptrdiff_t left = n - i - j * W;                                                             \
            if (left >= W) sums[j] = sums[j] + F(load(x + i + j * W), shift);                                 \
            else if (left > 0) sums[j] = sums[j] + keep(F(load_part(x + i + j * W, left), shift), left, 0);   \
        }                                                                                                     \
        return join_sums(sums);                                                                               \
    }
DEFINE_ROW_SUM(row_sum, value_)
DEFINE_ROW_SUM(row_sum_of_squares, square_of)
DEFINE_ROW_SUM(row_sum_of_squared_differences, square_of_difference)
DEFINE_ROW_SUM(row_sum_of_exponentials, exponential_of_difference)

static float row_max(const float *x, ptrdiff_t n) {
    vf best = splat(-INFINITY);
    for (ptrdiff_t i = 0; i < n; i += W) best = larger(best, keep(load_n(x + i, n - i), n - i, -INFINITY));
    return max_lanes(best);
}
static float row_min(const float *x, ptrdiff_t n) {
    vf best = splat(INFINITY);
    for (ptrdiff_t i = 0; i < n; i += W) best = smaller(best, keep(load_n(x + i, n - i), n - i, INFINITY));
    return min_lanes(best);
}

static float reduce_row(int operation, const float *x, ptrdiff_t n) {
    switch (operation) {
    case SN_MAX: return row_max(x, n);
    case SN_MIN: return row_min(x, n);
    case SN_SUM_OF_SQUARES: return row_sum_of_squares(x, n, 0);
    case SN_MEAN: return row_sum(x, n, 0) / (float)n;
    default: return row_sum(x, n, 0);
    }
}

/// Up to W columns of a sum down [axis, inner], joined as a row's running sums are.
#define DEFINE_COLUMN_SUM(NAME, F)                                                                            \
    static vf NAME(const float *x, ptrdiff_t axis, ptrdiff_t inner, ptrdiff_t n, vf shift) {                  \
        vf sums[LANES];                                                                                       \
        const ptrdiff_t used = axis < LANES ? axis : LANES;                                                   \
        for (ptrdiff_t i = 0; i < used; i++) sums[i] = splat(0) + F(load_n(x + i * inner, n), shift);         \
        for (ptrdiff_t begin = LANES; begin < axis; begin += LANES) {                                         \
            const ptrdiff_t count = axis - begin < LANES ? axis - begin : LANES;                              \
            const float *block = x + begin * inner;                                                           \
            for (ptrdiff_t i = 0; i < count; i++) sums[i] = sums[i] + F(load_n(block + i * inner, n), shift); \
        }                                                                                                     \
        for (ptrdiff_t half = LANES / 2; half > 0; half /= 2)                                                 \
            for (ptrdiff_t i = 0; i < half && i + half < used; i++) sums[i] = sums[i] + sums[i + half];       \
        return used > 0 ? sums[0] : splat(0);                                                                 \
    }
DEFINE_COLUMN_SUM(column_sum, value_)
DEFINE_COLUMN_SUM(column_sum_of_squares, square_of)
DEFINE_COLUMN_SUM(column_sum_of_exponentials, exponential_of_difference)

static vf reduce_columns(int operation, const float *x, ptrdiff_t axis, ptrdiff_t inner, ptrdiff_t n) {
    vf best = splat(operation == SN_MAX ? -INFINITY : INFINITY);
    switch (operation) {
    case SN_MAX:
        for (ptrdiff_t i = 0; i < axis; i++) best = larger(best, load_n(x + i * inner, n));
        return best;
    case SN_MIN:
        for (ptrdiff_t i = 0; i < axis; i++) best = smaller(best, load_n(x + i * inner, n));
        return best;
    case SN_SUM_OF_SQUARES: return column_sum_of_squares(x, axis, inner, n, splat(0));
    case SN_MEAN: return column_sum(x, axis, inner, n, splat(0)) / (float)axis;
    default: return column_sum(x, axis, inner, n, splat(0));
    }
}

static void reduce(int operation, ptrdiff_t outer, ptrdiff_t axis, ptrdiff_t inner, const float *x, float *y) {
    for (ptrdiff_t o = 0; o < outer; o++, x += axis * inner, y += inner) {
        if (inner == 1) {
            *y = reduce_row(operation, x, axis);
            continue;
        }
        for (ptrdiff_t i = 0; i < inner; i += W)
            store_n(y + i, reduce_columns(operation, x + i, axis, inner, inner - i), inner - i);
    }
}
