// Softmax and layer normalization.

/// The larger; either if one is NaN.
INLINE vf either(vf a, vf b) { return select_(a > b, a, b); }
INLINE float either_lane(vf x) { HALVES(either) return x[0]; }

/// The largest of a row, or any element if one is NaN.
static float softmax_shift(const float *x, ptrdiff_t n) {
    vf best[4];
    for (int j = 0; j < 4; j++) best[j] = splat(-INFINITY);
    ptrdiff_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
        for (int j = 0; j < 4; j++) {
            best[j] = either(best[j], load(x + i + j * W));
        }
    for (; i < n; i += W) best[0] = either(best[0], keep(load_n(x + i, n - i), n - i, -INFINITY));
    return either_lane(either(either(best[0], best[1]), either(best[2], best[3])));
}

/// y = e^(x - shift), and the sum of that as `row_sum` has it.
static float row_of_exponentials(const float *x, ptrdiff_t n, float by, float *y) {
    const vf shift = splat(by);
    vf sums[LANES / W];
    for (int j = 0; j < LANES / W; j++) sums[j] = splat(0);
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES / W; j++) {
            const vf v = exp_normal(load(x + i + j * W) - shift);
            store(y + i + j * W, v);
            sums[j] = sums[j] + v;
        }
    for (int j = 0; i < n; i += W, j++) {
        const vf v = exp_normal(load_n(x + i, n - i) - shift);
        store_n(y + i, v, n - i);
        sums[j] = sums[j] + keep(v, n - i, 0);
    }
    return join_sums(sums);
}

static void softmax_row(bool logarithm, ptrdiff_t n, const float *x, float *y) {
    const float largest = softmax_shift(x, n);
    if (logarithm) {
        const vf shift = splat(row_sum_of_exponentials(x, n, largest));
        const float l = log_(shift)[0];
        for (ptrdiff_t i = 0; i < n; i += W) store_n(y + i, load_n(x + i, n - i) - largest - l, n - i);
        return;
    }
    const float factor = 1.0f / row_of_exponentials(x, n, largest, y);
    ptrdiff_t i = 0;
    for (; i + W <= n; i += W) store(y + i, load(y + i) * factor);
    if (i < n) store_part(y + i, load_part(y + i, n - i) * factor, n - i);
}

/// Up to W columns down [axis, inner].
static void softmax_columns(bool logarithm, ptrdiff_t axis, ptrdiff_t inner, ptrdiff_t n, const float *x, float *y) {
    const vf largest = reduce_columns(SN_MAX, x, axis, inner, n);
    const vf sum = column_sum_of_exponentials(x, axis, inner, n, largest);
    const vf l = log_(sum), factor = 1.0f / sum;
    for (ptrdiff_t i = 0; i < axis; i++) {
        const vf v = load_n(x + i * inner, n) - largest;
        store_n(y + i * inner, logarithm ? v - l : exp_normal(v) * factor, n);
    }
}

static void softmax(bool logarithm, ptrdiff_t outer, ptrdiff_t axis, ptrdiff_t inner, const float *x, float *y) {
    for (ptrdiff_t o = 0; o < outer; o++, x += axis * inner, y += axis * inner) {
        if (inner == 1) softmax_row(logarithm, axis, x, y);
        else
            for (ptrdiff_t i = 0; i < inner; i += W) softmax_columns(logarithm, axis, inner, inner - i, x + i, y + i);
    }
}

static void softmax_rows(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride, float *x) {
    for (ptrdiff_t row = 0; row < rows; row++) softmax_row(false, columns, x + row * stride, x + row * stride);
}

static void layer_normalization(ptrdiff_t rows, ptrdiff_t columns, float epsilon, const float *scale,
                                const float *bias, const float *x, float *y, float *means, float *inverse_deviations) {
    for (ptrdiff_t r = 0; r < rows; r++, x += columns, y += columns) {
        const float mean = row_sum(x, columns, 0) / (float)columns;
        const float variance = row_sum_of_squared_differences(x, columns, mean) / (float)columns;
        const float inverse = 1.0f / sqrtf(variance + epsilon);
        if (means) means[r] = mean;
        if (inverse_deviations) inverse_deviations[r] = inverse;
        for (ptrdiff_t i = 0; i < columns; i += W) {
            const ptrdiff_t left = columns - i;
            vf v = (load_n(x + i, left) - mean) * inverse;
            if (scale) v = v * load_n(scale + i, left);
            if (bias) v = v + load_n(bias + i, left);
            store_n(y + i, v, left);
        }
    }
}
