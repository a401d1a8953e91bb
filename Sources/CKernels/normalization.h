// Softmax and layer normalization.

static void softmax_row(bool logarithm, ptrdiff_t n, const float *x, float *y) {
    const float largest = row_max(x, n);
    if (logarithm) {
        const vf shift = splat(row_sum_of_exponentials(x, n, largest));
        const float l = log_(shift)[0];
        for (ptrdiff_t i = 0; i < n; i += W) store_n(y + i, load_n(x + i, n - i) - largest - l, n - i);
        return;
    }
    for (ptrdiff_t i = 0; i < n; i += W) store_n(y + i, exp_(load_n(x + i, n - i) - largest), n - i);
    const float sum = row_sum(y, n, 0);
    for (ptrdiff_t i = 0; i < n; i += W) store_n(y + i, load_n(y + i, n - i) / sum, n - i);
}

/// Up to W columns down [axis, inner].
static void softmax_columns(bool logarithm, ptrdiff_t axis, ptrdiff_t inner, ptrdiff_t n, const float *x, float *y) {
    const vf largest = reduce_columns(SN_MAX, x, axis, inner, n);
    const vf sum = column_sum_of_exponentials(x, axis, inner, n, largest);
    const vf l = log_(sum);
    for (ptrdiff_t i = 0; i < axis; i++) {
        const vf v = load_n(x + i * inner, n) - largest;
        store_n(y + i * inner, logarithm ? v - l : exp_(v) / sum, n);
    }
}

static void softmax(bool logarithm, ptrdiff_t outer, ptrdiff_t axis, ptrdiff_t inner, const float *x, float *y) {
    for (ptrdiff_t o = 0; o < outer; o++, x += axis * inner, y += axis * inner) {
        if (inner == 1) softmax_row(logarithm, axis, x, y);
        else
            for (ptrdiff_t i = 0; i < inner; i += W) softmax_columns(logarithm, axis, inner, inner - i, x + i, y + i);
    }
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
