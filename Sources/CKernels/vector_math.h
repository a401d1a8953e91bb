// Functions of a vector, each within a few ulp; polynomials are minimax fits over the stated ranges.

// Terms of polynomials are joined in pairs: that is as many steps as one after the other, and less waiting.

/// r + r^2 P(r) = e^r - 1 with |r| <= 0.3475.
INLINE vf exp_polynomial(vf r) {
    const vf s = r * r;
    const vf low = fma_(splat(1.666651964e-01f), r, splat(4.999999404e-01f));
    const vf high = fma_(splat(8.368899114e-03f), r, splat(4.166840762e-02f));
    const vf p = fma_(fma_(splat(1.381421345e-03f), s, high), s, low);
    return fma_(p, s, r);
}

/// x - n ln 2.
INLINE vf without_powers(vf x, vf n) {
    const vf r = fma_(n, splat(-0.693359375f), x);
    return fma_(n, splat(2.12194440e-4f), r);
}

/// e^x = 2^n (1 + r + r^2 P(r)) with x = n ln 2 + r and |r| <= 0.3475.
INLINE vf exp_(vf x) {
    x = select_(x > 89.0f, splat(89.0f), x);
    x = select_(x < -105.0f, splat(-105.0f), x);
    const float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to a whole number in the low bits
    vf t = fma_(x, splat(1.44269504f), splat(magic));
    vf n = t - magic;
    vf r = without_powers(x, n);
    vf y = exp_polynomial(r) + 1.0f;
    // The ends of the range round to denormals, zero and infinity as they should.
#if SN_SET == 2
    return (vf)_mm512_scalef_ps((__m512)y, (__m512)n);
#else
    vi i = (vi)t - 0x4b400000;
    vi half = i >> 1;
    return y * (vf)((half + 127) << 23) * (vf)((i - half + 127) << 23);
#endif
}

/// 2^n and e^y / 2^n - 1, both of them 0 where e^y is less than about 2^-126.5.
struct powers {
    vf power, rest;
};

/// Adding it rounds to a whole number and leaves in the low bits what stands in the exponent's field of 2 to that number:
/// 1.5 * 2^23 + 127.
#define EXPONENT_FIELD 12583039.0f

#define LEAST_EXPONENT (-88.02969f) // -127 ln 2

/// Of y = factor x between LEAST_EXPONENT and 87.
INLINE struct powers powers_(const float factor, vf x) {
    const vf t = fma_(x, splat(factor * 1.44269504f), splat(EXPONENT_FIELD));
    const vf r = without_powers(factor * x, t - EXPONENT_FIELD);
    return (struct powers){(vf)((vi)t << 23), exp_polynomial(r)};
}

/// e^x of x <= 87, as the softmax needs it: 0 instead of denormal numbers.
INLINE vf exp_normal(vf x) {
    const struct powers p = powers_(1, select_(x < LEAST_EXPONENT, splat(LEAST_EXPONENT), x));
    return fma_(p.power, p.rest, p.power);
}

/// 2^r - 1 = r P(r) with |r| <= 0.5, within 9.4e-8 of 2^r.
INLINE vf exp2_polynomial(vf r) {
    const vf s = r * r;
    const vf low = fma_(splat(2.402224690e-01f), r, splat(6.931470037e-01f));
    const vf high = fma_(splat(9.671292268e-03f), r, splat(5.550710857e-02f));
    return r * fma_(fma_(splat(1.326953527e-03f), s, high), s, low);
}

/// 2^x of x between -127 and 126, within 2 ulp; 0 instead of denormal numbers.
INLINE vf exp2_normal(vf x) {
    const vf t = x + EXPONENT_FIELD;
    const vf power = (vf)((vi)t << 23);
    return fma_(power, exp2_polynomial(x - (t - EXPONENT_FIELD)), power);
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

/// (1 - e) / (1 + e) with e = e^(-2|x|) and the sign of x.
INLINE vf tanh_(vf x) {
    const vf t = absolute(x);
    const struct powers p = powers_(-2, select_(t > LEAST_EXPONENT / -2, splat(LEAST_EXPONENT / -2), t));
    return with_sign(quotient(fma_(p.power, p.rest, p.power - 1.0f), fma_(p.power, p.rest, p.power + 1.0f)), x);
}

/// 1 / (1 + e^-x), and 0 below -87, where that is less than 1.7e-38.
INLINE vf sigmoid_(vf x) {
    const struct powers p = powers_(-1, select_(x > -LEAST_EXPONENT, splat(-LEAST_EXPONENT), x));
    return select_(x < -87.0f, splat(0), quotient(splat(1), fma_(p.power, p.rest, p.power + 1.0f)));
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

/// max(x, 0) - |x| Phi(-|x|), and Phi(-t) = erfc(t / sqrt 2) / 2 = 2^Q(t) up to 10.33, which is 2^-127 and taken for 0. Phi is
/// within 2e-7 of itself below 1 and 1e-5 below 3, so that small results keep their precision on both sides.
INLINE vf gelu_(vf x) {
    vf t = absolute(x);
    t = select_(t > 10.33f, splat(10.33f), t);
    const vf t2 = t * t, t4 = t2 * t2;
    const vf q0 = fma_(splat(-1.151106596e+00f), t, splat(-1)), q2 = fma_(splat(-5.255331844e-02f), t, splat(-4.591927230e-01f));
    const vf q4 = fma_(splat(-2.190090163e-04f), t, splat(7.159043103e-03f)), q6 = fma_(splat(3.093494888e-05f), t, splat(-1.489450369e-04f));
    const vf high = fma_(splat(-2.085501364e-06f), t4, fma_(q6, t2, q4));
    const vf q = fma_(high, t4, fma_(q2, t2, q0));
    return fma_(-t, exp2_normal(q), select_(x < 0.0f, splat(0), x));
}

/// x / (1 + e^-2u), as (1 + tanh u) / 2 is 1 / (1 + e^-2u).
INLINE vf gelu_tanh_(vf x) {
    const vf b = select_(x > 1e4f, splat(1e4f), bounded(x));
    return bounded(x) * sigmoid_(1.59576912f * fma_(b * b * b, splat(0.044715f), b));
}

INLINE vf silu_(vf x) { return bounded(x) * sigmoid_(x); }

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
