// One step of recurrent cells for some rows. The products with the hidden states are made before, by `multiply`; here the
// input's part is added, the gates' functions are applied and the states written. Each row is computed on its own.

/// Vectors whose gates are computed one after the other.
#define GATE_VECTORS 4
#define GATE_BLOCK (GATE_VECTORS * W)

/// A gate's function; the few that have kernels.
INLINE vf gate(int f, bool clips, vf clip, vf x) {
    if (clips) x = minimum(maximum(x, -clip), clip);
    switch (f) {
    case SN_SIGMOID: return sigmoid_(x);
    case SN_TANH: return tanh_(x);
    case SN_RELU: return relu_(x);
    case SN_SOFTPLUS: return softplus_(x);
    default: return x;
    }
}

/// Asks for a row of `count` projections of the next step; rows of many sequences stand too far apart for the hardware to guess.
INLINE void prefetch_next(const struct sn_recurrent_step *s, const float *row, ptrdiff_t count) {
    const uintptr_t next = (uintptr_t)row + (uintptr_t)(s->ahead * (ptrdiff_t)sizeof(float));
    for (ptrdiff_t j = 0; j < count; j += 16) __builtin_prefetch((const void *)(next + (uintptr_t)j * sizeof(float)), 0, 2);
}

INLINE void rnn_rows(const int f, const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const ptrdiff_t n = s->hidden;
    const bool clips = s->clip >= 0;
    const vf clip = splat(s->clip);
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *p = s->projections[row], *g = s->products + row * n;
        float *h = s->h + row * n, *y = s->outputs ? s->outputs[row] : NULL;
        prefetch_next(s, p, n);
        for (ptrdiff_t j = 0; j < n; j += W) {
            const ptrdiff_t left = n - j;
            const vf v = gate(f, clips, clip, load_n(g + j, left) + load_n(p + j, left));
            store_n(h + j, v, left);
            if (y) store_n(y + j, v, left);
        }
    }
}

/// `count` (1 ... GATE_BLOCK) units of a GRU: gates of all before candidates of any, so that no function waits for another.
INLINE void gru_units(const int f, const int g, const bool clips, const struct sn_recurrent_step *s, const float *p, const float *q,
                      const float *bias, float *h, float *y, ptrdiff_t count) {
    const ptrdiff_t n = s->hidden;
    const vf clip = splat(s->clip);
    vf update[GATE_VECTORS], candidate[GATE_VECTORS];
    const ptrdiff_t vectors = (count + W - 1) / W;
    for (ptrdiff_t i = 0; i < vectors; i++) {
        const ptrdiff_t j = i * W, left = count - j;
        update[i] = gate(f, clips, clip, load_n(q + j, left) + load_n(p + j, left));
        const vf reset = gate(f, clips, clip, load_n(q + n + j, left) + load_n(p + n + j, left));
        const vf from_state = load_n(q + 2 * n + j, left) + load_n(bias + j, left);
        candidate[i] = fma_(reset, from_state, load_n(p + 2 * n + j, left));
    }
    for (ptrdiff_t i = 0; i < vectors; i++) {
        const ptrdiff_t j = i * W, left = count - j;
        const vf fresh = gate(g, clips, clip, candidate[i]);
        const vf v = fma_(update[i], load_n(h + j, left) - fresh, fresh);
        store_n(h + j, v, left);
        if (y) store_n(y + j, v, left);
    }
}

INLINE void gru_rows(const int f, const int g, const bool clips, const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const ptrdiff_t n = s->hidden;
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *p = s->projections[row], *q = s->products + row * 3 * n;
        float *h = s->h + row * n, *y = s->outputs ? s->outputs[row] : NULL;
        prefetch_next(s, p, 3 * n);
        ptrdiff_t j = 0;
        for (; j + GATE_BLOCK <= n; j += GATE_BLOCK)
            gru_units(f, g, clips, s, p + j, q + j, s->bias + j, h + j, y ? y + j : NULL, GATE_BLOCK);
        if (j < n) gru_units(f, g, clips, s, p + j, q + j, s->bias + j, h + j, y ? y + j : NULL, n - j);
    }
}

/// The gates, and reset * h into `masked`.
INLINE void gru_gate_rows(const int f, const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const ptrdiff_t n = s->hidden;
    const bool clips = s->clip >= 0;
    const vf clip = splat(s->clip);
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *p = s->projections[row], *h = s->h + row * n;
        float *q = s->products + row * 2 * n, *masked = s->masked + row * n;
        prefetch_next(s, p, 3 * n);
        for (ptrdiff_t j = 0; j < n; j += W) {
            const ptrdiff_t left = n - j;
            store_n(q + j, gate(f, clips, clip, load_n(q + j, left) + load_n(p + j, left)), left);
            const vf reset = gate(f, clips, clip, load_n(q + n + j, left) + load_n(p + n + j, left));
            store_n(masked + j, reset * load_n(h + j, left), left);
        }
    }
}

/// The candidates, whose products stand in `masked`, and the states.
INLINE void gru_state_rows(const int g, const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const ptrdiff_t n = s->hidden;
    const bool clips = s->clip >= 0;
    const vf clip = splat(s->clip);
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *p = s->projections[row] + 2 * n, *q = s->products + row * 2 * n, *m = s->masked + row * n;
        float *h = s->h + row * n, *y = s->outputs ? s->outputs[row] : NULL;
        for (ptrdiff_t j = 0; j < n; j += W) {
            const ptrdiff_t left = n - j;
            const vf fresh = gate(g, clips, clip, load_n(m + j, left) + load_n(p + j, left));
            const vf v = fma_(load_n(q + j, left), load_n(h + j, left) - fresh, fresh);
            store_n(h + j, v, left);
            if (y) store_n(y + j, v, left);
        }
    }
}

INLINE void lstm_rows(const int f, const int g, const int o, const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const ptrdiff_t n = s->hidden;
    const bool clips = s->clip >= 0;
    const vf clip = splat(s->clip);
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *p = s->projections[row], *q = s->products + row * 4 * n, *peep = s->peepholes;
        float *h = s->h + row * n, *c = s->c + row * n, *y = s->outputs ? s->outputs[row] : NULL;
        prefetch_next(s, p, 4 * n);
        for (ptrdiff_t j = 0; j < n; j += W) {
            const ptrdiff_t left = n - j;
            const vf before = load_n(c + j, left);
            vf in = load_n(q + j, left) + load_n(p + j, left);
            vf out = load_n(q + n + j, left) + load_n(p + n + j, left);
            vf forget = load_n(q + 2 * n + j, left) + load_n(p + 2 * n + j, left);
            const vf cell = load_n(q + 3 * n + j, left) + load_n(p + 3 * n + j, left);
            if (peep) {
                in = fma_(load_n(peep + j, left), before, in);
                forget = fma_(load_n(peep + 2 * n + j, left), before, forget);
            }
            in = gate(f, clips, clip, in);
            forget = s->couples ? 1.0f - in : gate(f, clips, clip, forget);
            const vf after = fma_(forget, before, in * gate(g, clips, clip, cell));
            if (peep) out = fma_(load_n(peep + n + j, left), after, out);
            const vf v = gate(f, clips, clip, out) * gate(o, false, clip, after);
            store_n(c + j, after, left);
            store_n(h + j, v, left);
            if (y) store_n(y + j, v, left);
        }
    }
}

// The usual functions have loops without a branch on them.

static void rnn_step(const struct sn_recurrent_step *s, ptrdiff_t rows) {
    if (s->activations[0] == SN_TANH) rnn_rows(SN_TANH, s, rows);
    else rnn_rows(s->activations[0], s, rows);
}

static void gru_step(const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const int *a = s->activations;
    if (a[0] == SN_SIGMOID && a[1] == SN_TANH && s->clip < 0) gru_rows(SN_SIGMOID, SN_TANH, false, s, rows);
    else gru_rows(a[0], a[1], s->clip >= 0, s, rows);
}

static void gru_gate_step(const struct sn_recurrent_step *s, ptrdiff_t rows) {
    if (s->activations[0] == SN_SIGMOID) gru_gate_rows(SN_SIGMOID, s, rows);
    else gru_gate_rows(s->activations[0], s, rows);
}

static void gru_state_step(const struct sn_recurrent_step *s, ptrdiff_t rows) {
    if (s->activations[1] == SN_TANH) gru_state_rows(SN_TANH, s, rows);
    else gru_state_rows(s->activations[1], s, rows);
}

static void lstm_step(const struct sn_recurrent_step *s, ptrdiff_t rows) {
    const int *a = s->activations;
    if (a[0] == SN_SIGMOID && a[1] == SN_TANH && a[2] == SN_TANH) lstm_rows(SN_SIGMOID, SN_TANH, SN_TANH, s, rows);
    else lstm_rows(a[0], a[1], a[2], s, rows);
}
