// Unary and binary functions over whole buffers.

#define DEFINE_UNARY(F)                                                                                       \
    static void unary_##F(const float *x, float *y, ptrdiff_t count) {                                        \
        ptrdiff_t i = 0;                                                                                      \
        for (; i + W <= count; i += W) store(y + i, F(load(x + i)));                                          \
        if (i < count) store_part(y + i, F(load_part(x + i, count - i)), count - i);                          \
    }
FOR_EACH_UNARY(DEFINE_UNARY)

static void unary(int operation, const float *x, float *y, ptrdiff_t count) {
#define NAME_UNARY(F) unary_##F,
    static void (*const functions[])(const float *, float *, ptrdiff_t) = {FOR_EACH_UNARY(NAME_UNARY)};
    functions[operation](x, y, count);
}

static void clip(const float *x, float low, float high, float *y, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i += W) {
        vf v = load_n(x + i, count - i);
        v = select_(v < low, splat(low), v);
        v = select_(v > high, splat(high), v);
        store_n(y + i, v, count - i);
    }
}

INLINE vf subtract(vf a, vf b) { return a - b; }
INLINE vf multiply_(vf a, vf b) { return a * b; }
INLINE vf divide(vf a, vf b) { return a / b; }
/// Element by element: the square exactly, everything else as the C library has it.
INLINE vf power(vf a, vf b) {
    vf c;
    for (int i = 0; i < W; i++) c[i] = b[i] == 2.0f ? a[i] * a[i] : powf(a[i], b[i]);
    return c;
}

/// Moves the outer indices on by one and the operands with them; false after the last.
INLINE bool advance(int rank, const ptrdiff_t *dimensions, ptrdiff_t *index, const float **a,
                    const ptrdiff_t *a_strides, const float **b, const ptrdiff_t *b_strides) {
    for (int axis = rank - 2; axis >= 0; axis--) {
        *a += a_strides[axis];
        *b += b_strides[axis];
        if (++index[axis] < dimensions[axis]) return true;
        *a -= a_strides[axis] * dimensions[axis];
        *b -= b_strides[axis] * dimensions[axis];
        index[axis] = 0;
    }
    return false;
}

#define DEFINE_BINARY(F)                                                                                      \
    static void binary_##F(int rank, const ptrdiff_t *dimensions, const float *a, const ptrdiff_t *a_strides, \
                           const float *b, const ptrdiff_t *b_strides, float *c) {                            \
        ptrdiff_t index[SN_MAX_RANK] = {0};                                                                   \
        const ptrdiff_t n = dimensions[rank - 1];                                                             \
        const bool a_varies = a_strides[rank - 1] != 0, b_varies = b_strides[rank - 1] != 0;                  \
        do {                                                                                                  \
            ptrdiff_t i = 0;                                                                                  \
            if (a_varies && b_varies) {                                                                       \
                for (; i + W <= n; i += W) store(c + i, F(load(a + i), load(b + i)));                         \
                if (i < n) store_part(c + i, F(load_part(a + i, n - i), load_part(b + i, n - i)), n - i);     \
            } else if (a_varies) {                                                                            \
                const vf right = splat(*b);                                                                   \
                for (; i + W <= n; i += W) store(c + i, F(load(a + i), right));                               \
                if (i < n) store_part(c + i, F(load_part(a + i, n - i), right), n - i);                       \
            } else {                                                                                          \
                const vf left = splat(*a);                                                                    \
                for (; i < n; i += W)                                                                         \
                    store_n(c + i, F(left, b_varies ? load_n(b + i, n - i) : splat(*b)), n - i);              \
            }                                                                                                 \
            c += n;                                                                                           \
        } while (advance(rank, dimensions, index, &a, a_strides, &b, b_strides));                             \
    }

#define FOR_EACH_BINARY(DO) DO(add) DO(subtract) DO(multiply_) DO(divide) DO(minimum) DO(maximum) DO(power)
FOR_EACH_BINARY(DEFINE_BINARY)

static void binary(int operation, int rank, const ptrdiff_t *dimensions, const float *a, const ptrdiff_t *a_strides,
                   const float *b, const ptrdiff_t *b_strides, float *c) {
#define NAME_BINARY(F) binary_##F,
    static void (*const functions[])(int, const ptrdiff_t *, const float *, const ptrdiff_t *, const float *,
                                     const ptrdiff_t *, float *) = {FOR_EACH_BINARY(NAME_BINARY)};
    functions[operation](rank, dimensions, a, a_strides, b, b_strides, c);
}
