// A loop's body as a list of operations on rows in place, run for many steps without going back to the caller.

// Whole vectors first; what is left, and a left side of one element, which is rare, go a slower way.
#define STEP_ROW(EXPRESSION)                                                                                  \
    if (a_column && b_column) {                                                                               \
        for (; j + W <= n; j += W) {                                                                          \
            const vf x = load(a + j), y = load(b + j);                                                        \
            store(c + j, EXPRESSION);                                                                         \
        }                                                                                                     \
    } else if (a_column) {                                                                                    \
        const vf y = splat(*b);                                                                               \
        for (; j + W <= n; j += W) {                                                                          \
            const vf x = load(a + j);                                                                         \
            store(c + j, EXPRESSION);                                                                         \
        }                                                                                                     \
    }                                                                                                         \
    for (; j < n; j += W) {                                                                                   \
        const ptrdiff_t left = n - j;                                                                         \
        const vf x = a_column ? load_n(a + j, left) : splat(*a);                                              \
        const vf y = b_column ? load_n(b + j, left) : splat(*b);                                              \
        store_n(c + j, EXPRESSION, left);                                                                     \
    }                                                                                                         \
    return;

static void step_binary(int operation, ptrdiff_t n, const float *a, ptrdiff_t a_column, const float *b,
                        ptrdiff_t b_column, float *c) {
    ptrdiff_t j = 0;
    switch (operation) {
    case SN_ADD: STEP_ROW(x + y)
    case SN_SUBTRACT: STEP_ROW(x - y)
    case SN_MULTIPLY: STEP_ROW(x * y)
    case SN_DIVIDE: STEP_ROW(x / y)
    case SN_MINIMUM: STEP_ROW(minimum(x, y))
    default: STEP_ROW(maximum(x, y))
    }
}

static void step_affine(ptrdiff_t n, const float *a, const float *scale, ptrdiff_t scale_column, const float *shift,
                        ptrdiff_t shift_column, float *c) {
    ptrdiff_t j = 0;
    if (scale_column && shift_column)
        for (; j + W <= n; j += W) store(c + j, fma_(load(a + j), load(scale + j), load(shift + j)));
    for (; j < n; j += W) {
        const ptrdiff_t left = n - j;
        const vf s = scale_column ? load_n(scale + j, left) : splat(*scale);
        const vf t = shift_column ? load_n(shift + j, left) : splat(*shift);
        store_n(c + j, fma_(load_n(a + j, left), s, t), left);
    }
}

INLINE const float *step_place(const struct sn_step_operand *o, ptrdiff_t step, ptrdiff_t row) {
    return o->data + (o->by_row ? row : o->index ? o->index[step] : step) * o->step;
}

static void run_step(const struct sn_step *s, ptrdiff_t step, ptrdiff_t first, ptrdiff_t rows) {
    const float *a = step_place(&s->a, step, first);
    float *c = s->c + (s->c_by_row ? first : step) * s->c_step;
    const bool backward = step & 1;
    if (s->kind == SN_STEP_MULTIPLY) {
        const struct sn_epilogue *e = s->has_epilogue ? &s->epilogue : NULL;
        if (s->narrow_panels)
            s->narrow_multiply(rows, s->columns, s->inner, s->alpha, a, s->a.row, s->narrow_panels, 0, c, s->c_row, e, 0);
        else (backward ? multiply_backward : multiply)(rows, s->columns, s->inner, s->alpha, a, s->a.row, s->panels, 0, c,
                                                       s->c_row, e, 0);
        return;
    }
    const float *b = step_place(&s->b, step, first), *d = step_place(&s->d, step, first);
    if (s->kind == SN_STEP_MULTIPLY_AFFINE) {
        multiply_affine(rows, s->columns, s->inner, s->alpha, a, s->a.row, s->panels, backward, b, d, s->d.row, c,
                        s->c_row);
        return;
    }
    const ptrdiff_t columns = s->dense ? rows * s->columns : s->columns;
    for (ptrdiff_t row = 0; row < (s->dense ? 1 : rows); row++) {
        const float *x = a + row * s->a.row;
        float *y = c + row * s->c_row;
        switch (s->kind) {
        case SN_STEP_COPY: memcpy(y, x, (size_t)columns * sizeof(float)); break;
        case SN_STEP_UNARY: unary(s->operation, x, y, columns); break;
        case SN_STEP_BINARY:
            step_binary(s->operation, columns, x, s->a.column, b + row * s->b.row, s->b.column, y);
            break;
        default: step_affine(columns, x, b + row * s->b.row, s->b.column, d + row * s->d.row, s->d.column, y);
        }
    }
}

static void run_steps(const struct sn_step *program, ptrdiff_t count, ptrdiff_t steps, const ptrdiff_t *alive) {
    ptrdiff_t first = 0;
    for (ptrdiff_t step = 0; step < steps; step++) {
        for (const struct sn_step *s = program; s < program + count; s++)
            run_step(s, step, first, alive && s->alive ? alive[step] : s->rows);
        if (alive) first += alive[step];
    }
}
