// Sums and extremes. A sum along a row has 64 running sums, element i in sum i mod 64, joined by one fixed tree, for
// every instruction set; along another axis, blocks of 128 are summed and then the blocks. Both start at +0, so that
// zeros at the end change no bit.

#define LANES 64
#define BLOCK 128

INLINE vf value_(vf x, vf shift) { (void)shift; return x; }
INLINE vf square_of(vf x, vf shift) { (void)shift; return x * x; }
INLINE vf square_of_difference(vf x, vf shift) { return (x - shift) * (x - shift); }

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
        for (int half = LANES / W / 2; half > 0; half /= 2)                                                   \
            for (int j = 0; j < half; j++) sums[j] = sums[j] + sums[j + half];                                \
        return sum_lanes(sums[0]);                                                                            \
    }
DEFINE_ROW_SUM(row_sum, value_)
DEFINE_ROW_SUM(row_sum_of_squares, square_of)
DEFINE_ROW_SUM(row_sum_of_squared_differences, square_of_difference)

static float row_max(const float *x, ptrdiff_t n) {
    vf best = splat(-INFINITY);
    for (ptrdiff_t i = 0; i < n; i += W) best = maximum(best, keep(load_n(x + i, n - i), n - i, -INFINITY));
    return max_lanes(best);
}

static float row_min(const float *x, ptrdiff_t n) {
    vf best = splat(INFINITY);
    for (ptrdiff_t i = 0; i < n; i += W) best = minimum(best, keep(load_n(x + i, n - i), n - i, INFINITY));
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

/// Up to W columns of a sum down [axis, inner].
INLINE vf sum_columns(const float *x, ptrdiff_t axis, ptrdiff_t inner, ptrdiff_t n, bool squared) {
    vf total = splat(0);
    for (ptrdiff_t begin = 0; begin < axis; begin += BLOCK) {
        const ptrdiff_t end = begin + BLOCK < axis ? begin + BLOCK : axis;
        vf sum = splat(0);
        for (ptrdiff_t i = begin; i < end; i++) {
            const vf v = load_n(x + i * inner, n);
            sum = sum + (squared ? v * v : v);
        }
        total = total + sum;
    }
    return total;
}

static vf reduce_columns(int operation, const float *x, ptrdiff_t axis, ptrdiff_t inner, ptrdiff_t n) {
    vf best = splat(operation == SN_MAX ? -INFINITY : INFINITY);
    switch (operation) {
    case SN_MAX:
        for (ptrdiff_t i = 0; i < axis; i++) best = maximum(best, load_n(x + i * inner, n));
        return best;
    case SN_MIN:
        for (ptrdiff_t i = 0; i < axis; i++) best = minimum(best, load_n(x + i * inner, n));
        return best;
    case SN_SUM_OF_SQUARES: return sum_columns(x, axis, inner, n, true);
    case SN_MEAN: return sum_columns(x, axis, inner, n, false) / (float)axis;
    default: return sum_columns(x, axis, inner, n, false);
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
