// Functions of a vector, each within a few ulp; polynomials are minimax fits over the stated ranges.

/// e^x = 2^n (1 + r + r^2 P(r)) with x = n ln 2 + r and |r| <= 0.3475.
INLINE vf exp_(vf x) {
    x = select_(x > 89.0f, splat(89.0f), x);
    x = select_(x < -105.0f, splat(-105.0f), x);
    const float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to a whole number in the low bits
    vf t = fma_(x, splat(1.44269504f), splat(magic));
    vf n = t - magic;
    vi i = (vi)t - 0x4b400000;
    vf r = fma_(n, splat(-0.693359375f), x);
    r = fma_(n, splat(2.12194440e-4f), r);
    vf p = splat(1.381421345e-03f);
    p = fma_(p, r, splat(8.368899114e-03f));
    p = fma_(p, r, splat(4.166840762e-02f));
    p = fma_(p, r, splat(1.666651964e-01f));
    p = fma_(p, r, splat(4.999999404e-01f));
    vf y = fma_(p, r * r, r) + 1.0f;
    // In two steps, so that the ends of the range round to denormals, zero and infinity as they should.
    vi half = i >> 1;
    return y * (vf)((half + 127) << 23) * (vf)((i - half + 127) << 23);
}

/// log x = e ln 2 + f - f^2/2 + f^3 P(f) with x = 2^e (1 + f) and 1 + f in [sqrt(1/2), sqrt(2)).
INLINE vf log_(vf x) {
    vi tiny = x < 1.17549435e-38f;
    vf scaled = select_(tiny, x * 33554432.0f, x);
    vi t = (vi)scaled - 0x3f3504f3;
    vi exponent = (t >> 23) - (tiny & 25);
    vf f = (vf)((t & 0x007fffff) + 0x3f3504f3) - 1.0f;
    vf e = __builtin_convertvector(exponent, vf);
    vf p = splat(-7.634225488e-02f);
    p = fma_(p, f, splat(1.276146770e-01f));
    p = fma_(p, f, splat(-1.316023320e-01f));
    p = fma_(p, f, splat(1.420177668e-01f));
    p = fma_(p, f, splat(-1.662335396e-01f));
    p = fma_(p, f, splat(2.000122666e-01f));
    p = fma_(p, f, splat(-2.500082254e-01f));
    p = fma_(p, f, splat(3.333333135e-01f));
    vf z = f * f;
    vf y = p * f * z;
    y = fma_(e, splat(-2.12194440e-4f), y);
    y = fma_(z, splat(-0.5f), y);
    y = fma_(e, splat(0.693359375f), f + y);
    y = select_(x == 0.0f, splat(-INFINITY), y);
    y = select_(x < 0.0f, splat(NAN), y);
    return select_((x == INFINITY) | (x != x), x, y);
}

/// x + x^3 P(x^2) below 0.625, else 1 - 2 / (e^2|x| + 1) with the sign of x.
INLINE vf tanh_(vf x) {
    vf t = absolute(x);
    vf s = x * x;
    vf p = splat(-5.705000367e-03f);
    p = fma_(p, s, splat(2.063910104e-02f));
    p = fma_(p, s, splat(-5.373971909e-02f));
    p = fma_(p, s, splat(1.333144158e-01f));
    p = fma_(p, s, splat(-3.333328068e-01f));
    vf small = fma_(p * s, x, x);
    vf large = with_sign(1.0f - 2.0f / (exp_(t + t) + 1.0f), x);
    return select_(t < 0.625f, small, large);
}

/// 1 / (1 + e^-x), through e^-|x| so that both tails keep their precision.
INLINE vf sigmoid_(vf x) {
    vf e = exp_(-absolute(x));
    return select_(x < 0.0f, e, splat(1)) / (1.0f + e);
}

/// x + x P(x^2) below 0.92, else 1 - e^Q(|x|), which is 1 from 4 on.
INLINE vf erf_(vf x) {
    vf t = absolute(x);
    vf s = x * x;
    vf p = splat(8.317082393e-05f);
    p = fma_(p, s, splat(-8.130099159e-04f));
    p = fma_(p, s, splat(5.199916195e-03f));
    p = fma_(p, s, splat(-2.685894631e-02f));
    p = fma_(p, s, splat(1.128368750e-01f));
    p = fma_(p, s, splat(-3.761263192e-01f));
    p = fma_(p, s, splat(1.283791661e-01f));
    vf small = fma_(p, x, x);
    vf u = select_(t > 4.0f, splat(4.0f), t);
    vf q = splat(-1.123208676e-05f);
    q = fma_(q, u, splat(3.228113346e-04f));
    q = fma_(q, u, splat(-3.642488038e-03f));
    q = fma_(q, u, splat(2.376212180e-02f));
    q = fma_(q, u, splat(-1.062369421e-01f));
    q = fma_(q, u, splat(-6.351512671e-01f));
    q = fma_(q, u, splat(-1.128648520e+00f));
    vf large = with_sign(1.0f - exp_(q * u), x);
    return select_(t < 0.92f, small, select_(x != x, x, large));
}

/// Below this both x gelu'(x) and x sigmoid(x) are 0 in float32; the bound keeps -inf from giving NaN.
INLINE vf bounded(vf x) { return select_(x < -1e4f, splat(-1e4f), x); }

INLINE vf gelu_(vf x) { return 0.5f * bounded(x) * (1.0f + erf_(x * 0.707106781f)); }

INLINE vf gelu_tanh_(vf x) {
    vf b = select_(x > 1e4f, splat(1e4f), bounded(x));
    vf inner = 0.797884561f * fma_(b * b * b, splat(0.044715f), b);
    return 0.5f * bounded(x) * (1.0f + tanh_(inner));
}

INLINE vf silu_(vf x) {
    vf e = exp_(-absolute(x));
    return select_(x < 0.0f, bounded(x) * e, x) / (1.0f + e);
}

/// max(x, 0) + log(1 + e^-|x|).
INLINE vf softplus_(vf x) {
    vf e = exp_(-absolute(x));
    vf u = 1.0f + e;
    vf d = u - 1.0f;
    vf l = select_(d == 0.0f, e, log_(u) * e / select_(d == 0.0f, splat(1), d));
    return maximum(x, splat(0)) + l;
}

INLINE vf identity_(vf x) { return x; }
INLINE vf relu_(vf x) { return select_(x < 0.0f, splat(0), x); }
INLINE vf reciprocal_(vf x) { return 1.0f / x; }
INLINE vf negate_(vf x) { return -x; }
INLINE vf square_(vf x) { return x * x; }
INLINE vf floor_(vf x) { return __builtin_elementwise_floor(x); }
INLINE vf ceil_(vf x) { return __builtin_elementwise_ceil(x); }
INLINE vf round_(vf x) { return __builtin_elementwise_roundeven(x); }
INLINE vf sign_(vf x) { return select_(x > 0.0f, splat(1), select_(x < 0.0f, splat(-1), x)); }

/// Every unary function, in the order of `enum sn_unary`.
#define FOR_EACH_UNARY(DO)                                                                                    \
    DO(identity_) DO(exp_) DO(log_) DO(tanh_) DO(sigmoid_) DO(erf_) DO(relu_) DO(square_root)                 \
    DO(reciprocal_) DO(negate_) DO(absolute) DO(gelu_) DO(gelu_tanh_) DO(silu_) DO(softplus_) DO(floor_)      \
    DO(ceil_) DO(round_) DO(sign_) DO(square_)
