// y = residual + mask * activation(x * scale + bias) over rows, one function an activation.

/// One row; what varies along it has a pointer, what belongs to the whole row a value.
struct row_epilogue {
    const float *scales, *biases, *masks, *residual;
    float scale, bias, mask;
    bool has_scale, has_bias, has_mask;
};

#define DEFINE_EPILOGUE(F)                                                                                    \
    static void epilogue_##F(const struct row_epilogue *e, const float *x, float *y, ptrdiff_t n) {           \
        const struct row_epilogue o = *e;                                                                     \
        const vf scale = splat(o.scale), bias = splat(o.bias), mask = splat(o.mask);                          \
        for (ptrdiff_t i = 0; i < n; i += W) {                                                                \
            const ptrdiff_t left = n - i;                                                                     \
            vf v = load_n(x + i, left);                                                                       \
            const vf s = o.scales ? load_n(o.scales + i, left) : scale;                                       \
            const vf b = o.biases ? load_n(o.biases + i, left) : bias;                                        \
            if (o.has_scale && o.has_bias) v = fma_(v, s, b);                                                 \
            else if (o.has_scale) v = v * s;                                                                  \
            else if (o.has_bias) v = v + b;                                                                   \
            v = F(v);                                                                                         \
            if (o.has_mask) v = v * (o.masks ? load_n(o.masks + i, left) : mask);                             \
            if (o.residual) v = load_n(o.residual + i, left) + v;                                             \
            store_n(y + i, v, left);                                                                          \
        }                                                                                                     \
    }
FOR_EACH_UNARY(DEFINE_EPILOGUE)

/// The part of a matrix that begins at (`row`, `column`); `x` and `y` point at that part.
static void epilogue_part(const struct sn_epilogue *e, bool channels_last, ptrdiff_t row, ptrdiff_t rows,
                          ptrdiff_t column, ptrdiff_t columns, const float *x, ptrdiff_t x_stride, float *y,
                          ptrdiff_t y_stride, ptrdiff_t residual_stride) {
#define NAME_EPILOGUE(F) epilogue_##F,
    static void (*const functions[])(const struct row_epilogue *, const float *, float *, ptrdiff_t) = {
        FOR_EACH_UNARY(NAME_EPILOGUE)};
    void (*const function)(const struct row_epilogue *, const float *, float *, ptrdiff_t) =
        functions[e->activation];
    struct row_epilogue r = {.has_scale = e->scale, .has_bias = e->bias, .has_mask = e->mask};
    if (channels_last) {
        r.scales = e->scale ? e->scale + column : NULL;
        r.biases = e->bias ? e->bias + column : NULL;
    } else {
        r.masks = e->mask ? e->mask + column : NULL;
    }
    for (ptrdiff_t i = 0; i < rows; i++) {
        if (channels_last) {
            r.mask = e->mask ? e->mask[row + i] : 1;
        } else {
            r.scale = e->scale ? e->scale[row + i] : 1;
            r.bias = e->bias ? e->bias[row + i] : 0;
        }
        r.residual = e->residual ? e->residual + (row + i) * residual_stride + column : NULL;
        function(&r, x + i * x_stride, y + i * y_stride, columns);
    }
}

static void epilogue(const struct sn_epilogue *e, bool channels_last, ptrdiff_t rows, ptrdiff_t columns,
                     const float *x, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride) {
    epilogue_part(e, channels_last, 0, rows, 0, columns, x, x_stride, y, y_stride, columns);
}
