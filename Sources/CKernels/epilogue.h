// y = residual + mask * activation(x * scale + bias) over rows, one function an activation.

/// An operand at (i, j): start[i * row] if `is_row`, which is the same along a row, else start[i * row + j].
struct epilogue_operand {
    const float *start; ///< Null for none.
    ptrdiff_t row;
    bool is_row;
};

INLINE vf operand_at(const struct epilogue_operand *o, ptrdiff_t i, ptrdiff_t j, ptrdiff_t left) {
    const float *p = o->start + i * o->row;
    return o->is_row ? splat(*p) : load_n(p + j, left);
}

struct block_epilogue {
    struct epilogue_operand scale, bias, mask, residual;
};

#define EPILOGUE_VECTOR(F, LEFT)                                                                              \
    vf v = load_n(x + i * x_stride + j, LEFT);                                                                \
    if (o.scale.start && o.bias.start)                                                                        \
        v = fma_(v, operand_at(&o.scale, i, j, LEFT), operand_at(&o.bias, i, j, LEFT));                       \
    else if (o.scale.start) v = v * operand_at(&o.scale, i, j, LEFT);                                         \
    else if (o.bias.start) v = v + operand_at(&o.bias, i, j, LEFT);                                           \
    v = F(v);                                                                                                 \
    if (o.mask.start) v = v * operand_at(&o.mask, i, j, LEFT);                                                \
    if (o.residual.start) v = load_n(o.residual.start + i * o.residual.row + j, LEFT) + v;                    \
    store_n(y + i * y_stride + j, v, LEFT);

#define DEFINE_EPILOGUE(F)                                                                                    \
    static void epilogue_##F(const struct block_epilogue *e, ptrdiff_t rows, ptrdiff_t columns, const float *x, \
                             ptrdiff_t x_stride, float *y, ptrdiff_t y_stride) {                              \
        const struct block_epilogue o = *e;                                                                   \
        const ptrdiff_t whole = columns / W * W;                                                              \
        if (whole == columns && !o.scale.start && !o.bias.start && !o.mask.start && !o.residual.start) {      \
            for (ptrdiff_t i = 0; i < rows; i++)                                                              \
                for (ptrdiff_t j = 0; j < whole; j += W)                                                      \
                    store(y + i * y_stride + j, F(load(x + i * x_stride + j)));                               \
            return;                                                                                           \
        }                                                                                                     \
        for (ptrdiff_t i = 0; i < rows; i++) {                                                                \
            for (ptrdiff_t j = 0; j < whole; j += W) { EPILOGUE_VECTOR(F, W) }                                \
            if (whole < columns) {                                                                            \
                const ptrdiff_t j = whole, left = columns - whole;                                            \
                EPILOGUE_VECTOR(F, left)                                                                      \
            }                                                                                                 \
        }                                                                                                     \
    }
FOR_EACH_UNARY(DEFINE_EPILOGUE)

/// The part of a matrix that begins at (`row`, `column`); `x` and `y` point at that part.
static void epilogue_part(const struct sn_epilogue *e, bool channels_last, ptrdiff_t row, ptrdiff_t rows,
                          ptrdiff_t column, ptrdiff_t columns, const float *x, ptrdiff_t x_stride, float *y,
                          ptrdiff_t y_stride, ptrdiff_t residual_stride) {
#define NAME_EPILOGUE(F) epilogue_##F,
    static void (*const functions[])(const struct block_epilogue *, ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t,
                                     float *, ptrdiff_t) = {FOR_EACH_UNARY(NAME_EPILOGUE)};
    const ptrdiff_t channel = channels_last ? column : row, position = channels_last ? row : column;
    const struct epilogue_operand of_channels = {NULL, !channels_last, !channels_last};
    const struct epilogue_operand of_positions = {NULL, channels_last, channels_last};
    struct block_epilogue b = {of_channels, of_channels, of_positions, {NULL, residual_stride, false}};
    if (e->scale) b.scale.start = e->scale + channel;
    if (e->bias) b.bias.start = e->bias + channel;
    if (e->mask) b.mask.start = e->mask + position;
    if (e->residual) b.residual.start = e->residual + row * residual_stride + column;
    functions[e->activation](&b, rows, columns, x, x_stride, y, y_stride);
}

static void epilogue(const struct sn_epilogue *e, bool channels_last, ptrdiff_t rows, ptrdiff_t columns,
                     const float *x, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride) {
    epilogue_part(e, channels_last, 0, rows, 0, columns, x, x_stride, y, y_stride, columns);
}
