// Moments, in double, and normalization of the valid positions of padded batches. Products and sums are rounded apart and in
// one order, so every instruction set gives the same bits. Nothing is read outside of the runs.

#define HALF (W / 2)
#define MOMENT_VECTORS (SN_MOMENT_LANES / W)

typedef double vd __attribute__((vector_size(4 * W)));
typedef float vh __attribute__((vector_size(2 * W)));
typedef double vd_unaligned __attribute__((vector_size(4 * W), aligned(8), may_alias));

#if SN_SET == 2
#define LOW(X) __builtin_shufflevector(X, X, 0, 1, 2, 3, 4, 5, 6, 7)
#define HIGH(X) __builtin_shufflevector(X, X, 8, 9, 10, 11, 12, 13, 14, 15)
#define JOIN(A, B) __builtin_shufflevector(A, B, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#elif SN_SET == 1
#define LOW(X) __builtin_shufflevector(X, X, 0, 1, 2, 3)
#define HIGH(X) __builtin_shufflevector(X, X, 4, 5, 6, 7)
#define JOIN(A, B) __builtin_shufflevector(A, B, 0, 1, 2, 3, 4, 5, 6, 7)
#else
#define LOW(X) __builtin_shufflevector(X, X, 0, 1)
#define HIGH(X) __builtin_shufflevector(X, X, 2, 3)
#define JOIN(A, B) __builtin_shufflevector(A, B, 0, 1, 2, 3)
#endif

INLINE vd splat_double(double x) { return x - (vd){0}; }
INLINE vd load_double(const double *p) { return *(const vd_unaligned *)p; }
INLINE void store_double(double *p, vd x) { *(vd_unaligned *)p = x; }
INLINE vd low(vf x) { return __builtin_convertvector(LOW(x), vd); }
INLINE vd high(vf x) { return __builtin_convertvector(HIGH(x), vd); }
INLINE vf join(vd low, vd high) {
    const vh a = __builtin_convertvector(low, vh), b = __builtin_convertvector(high, vh);
    return JOIN(a, b);
}

/// How many elements ahead to fetch: about 4 KB, in whole rows if they are short, so that padding is not fetched.
INLINE ptrdiff_t prefetch_distance(ptrdiff_t length) {
    enum { near = 1024, far = 4096 };
    if (length > far) return near;
    return length >= near ? length : (near - 1) / (length + 1) * length + length;
}

INLINE void add_vector(vf x, vd shift, vd sums[2], vd squares[2]) {
    const vd d[2] = {low(x) - shift, high(x) - shift};
    for (int h = 0; h < 2; h++) {
        sums[h] = sums[h] + d[h];
        squares[h] = squares[h] + d[h] * d[h];
    }
}

/// Adds to the row's running sums; element i goes to lane i mod SN_MOMENT_LANES.
INLINE void add_row(const float *x, ptrdiff_t n, float shift, double *lanes, ptrdiff_t ahead) {
    vd sums[2 * MOMENT_VECTORS], squares[2 * MOMENT_VECTORS];
    const vd by = splat_double(shift);
    for (int j = 0; j < 2 * MOMENT_VECTORS; j++) {
        sums[j] = load_double(lanes + j * HALF);
        squares[j] = load_double(lanes + SN_MOMENT_LANES + j * HALF);
    }
    ptrdiff_t i = 0;
    for (; i + SN_MOMENT_LANES <= n; i += SN_MOMENT_LANES) {
        __builtin_prefetch(x + i + ahead);
        for (int j = 0; j < MOMENT_VECTORS; j++) add_vector(load(x + i + j * W), by, sums + 2 * j, squares + 2 * j);
    }
    for (int j = 0; j < MOMENT_VECTORS; j++) {
        const ptrdiff_t left = n - i - j * W;
        if (left > 0) add_vector(keep(load_n(x + i + j * W, left), left, shift), by, sums + 2 * j, squares + 2 * j);
    }
    for (int j = 0; j < 2 * MOMENT_VECTORS; j++) {
        store_double(lanes + j * HALF, sums[j]);
        store_double(lanes + SN_MOMENT_LANES + j * HALF, squares[j]);
    }
}

static void add_moments(ptrdiff_t rows, const float *x, ptrdiff_t stride, ptrdiff_t run_count, const struct sn_run *runs,
                        const float *shifts, double *lanes, float *scratch) {
    const ptrdiff_t ahead = prefetch_distance(stride);
    for (ptrdiff_t r = 0; r < rows; r++, x += stride, lanes += 2 * SN_MOMENT_LANES) {
        if (run_count == 1) {
            add_row(x + runs[0].begin, runs[0].end - runs[0].begin, shifts[r], lanes, ahead);
            continue;
        }
        ptrdiff_t n = 0;
        for (ptrdiff_t i = 0; i < run_count; i++)
            for (ptrdiff_t t = runs[i].begin; t < runs[i].end; t++) scratch[n++] = x[t];
        add_row(scratch, n, shifts[r], lanes, 0);
    }
}

static void add_moments_of_columns(ptrdiff_t columns, const float *x, const float *shifts, double *sums,
                                   double *squares) {
    for (ptrdiff_t c = 0; c < columns; c++) {
        const double d = (double)x[c] - (double)shifts[c];
        sums[c] += d;
        squares[c] += d * d;
    }
}

static void join_lanes(ptrdiff_t rows, const double *lanes, double *sums, double *squares) {
    for (ptrdiff_t r = 0; r < rows; r++, lanes += 2 * SN_MOMENT_LANES) {
        double s[2][SN_MOMENT_LANES];
        memcpy(s, lanes, sizeof s);
        for (int half = SN_MOMENT_LANES / 2; half > 0; half /= 2)
            for (int j = 0; j < half; j++) {
                s[0][j] += s[0][j + half];
                s[1][j] += s[1][j + half];
            }
        sums[r] = s[0][0];
        squares[r] = s[1][0];
    }
}

INLINE vf normalized(vf x, const struct sn_normalization *n, const bool in_double) {
    if (!in_double) return ((x - n->near) - n->rest) * n->scale + n->shift;
    return join((low(x) - n->mean) * n->factor + n->bias, (high(x) - n->mean) * n->factor + n->bias);
}

INLINE void fill_with_zeros(float *y, ptrdiff_t n, ptrdiff_t ahead) {
    for (ptrdiff_t i = 0; i < n; i += W) {
        __builtin_prefetch(y + i + ahead, 1);
        store_n(y + i, splat(0), n - i);
    }
}

/// One row; its padding is set to 0, or kept as it is.
INLINE void normalize_row(ptrdiff_t length, const float *x, float *y, ptrdiff_t run_count, const struct sn_run *runs,
                          const struct sn_normalization *n, ptrdiff_t ahead, const bool keeps_padding,
                          const bool in_double) {
    ptrdiff_t done = 0;
    for (ptrdiff_t i = 0; i < run_count; i++) {
        if (!keeps_padding) fill_with_zeros(y + done, runs[i].begin - done, ahead);
        const ptrdiff_t end = runs[i].end, limit = i + 1 < run_count ? runs[i + 1].begin : length;
        for (done = runs[i].begin; done + W <= end; done += W) {
            __builtin_prefetch(x + done + ahead);
            __builtin_prefetch(y + done + ahead, 1);
            store(y + done, normalized(load(x + done), n, in_double));
        }
        if (done == end) continue;
        const vf last = normalized(load_part(x + done, end - done), n, in_double);
        __builtin_prefetch(x + done + ahead);
        __builtin_prefetch(y + done + ahead, 1);
        if (keeps_padding) {
            store_n(y + done, last, end - done);
            continue;
        }
        // The zeros that follow the run go with its last elements, as far as the next run.
        store_n(y + done, keep(last, end - done, 0), limit - done);
        done = done + W <= limit ? done + W : limit;
    }
    if (!keeps_padding) fill_with_zeros(y + done, length - done, ahead);
}

static void normalize_rows(ptrdiff_t rows, ptrdiff_t length, const float *x, float *y, ptrdiff_t run_count,
                           const struct sn_run *runs, const struct sn_normalization *n, bool keeps_padding) {
    const ptrdiff_t ahead = prefetch_distance(length);
    for (ptrdiff_t r = 0; r < rows; r++, x += length, y += length, n++) {
        if (n->needs_double) normalize_row(length, x, y, run_count, runs, n, ahead, keeps_padding, true);
        else if (keeps_padding) normalize_row(length, x, y, run_count, runs, n, ahead, true, false);
        else normalize_row(length, x, y, run_count, runs, n, ahead, false, false);
    }
}

static void normalize_columns(ptrdiff_t columns, const float *x, float *y, const struct sn_normalization *coefficients) {
    for (ptrdiff_t c = 0; c < columns; c++) {
        const struct sn_normalization n = coefficients[c];
        y[c] = n.needs_double ? (float)(((double)x[c] - n.mean) * n.factor + n.bias)
                              : ((x[c] - n.near) - n.rest) * n.scale + n.shift;
    }
}
