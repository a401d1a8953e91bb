#ifndef SEQNORM_CKERNELS_H
#define SEQNORM_CKERNELS_H

// Row kernels on contiguous float32 buffers. Each exists once per instruction set; the table in use is chosen
// when the process starts (see dispatch.c). No kernel allocates more than scratch, keeps state or reads past the ends.
// An element's bits depend on its inputs alone: not on its position, on the count, on alignment or on its
// neighbours; sums run in an order that is a function of the length alone, and trailing zeros never change one.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Columns of B (output channels) that lie side by side in packed matrices, for every instruction set.
#define SN_PANEL 32
/// The most axes `binary` and `sn_permute` take.
#define SN_MAX_RANK 8
/// Running sums of one row's moments, for every instruction set.
#define SN_MOMENT_LANES 16
/// Elements of the inner dimension that products of bfloat16 take at a time, for every instruction set.
#define SN_NARROW_BLOCK 32

/// Points of the transforms of `filter_rows`, and the tiles it takes at a time.
#define SN_WINOGRAD_POINTS 8
#define SN_WINOGRAD_TILES 48

/// The last two have the kernels of AVX-512 but for products of bfloat16.
enum sn_instruction_set { SN_BASELINE = 0, SN_AVX2 = 1, SN_AVX512 = 2, SN_AVX512_BF16 = 3, SN_AMX = 4 };

enum sn_unary {
    SN_IDENTITY, SN_EXP, SN_LOG, SN_TANH, SN_SIGMOID, SN_ERF, SN_RELU, SN_SQRT, SN_RECIPROCAL, SN_NEGATE, SN_ABSOLUTE,
    SN_GELU, SN_GELU_TANH, SN_SILU, SN_SOFTPLUS, SN_FLOOR, SN_CEIL, SN_ROUND, SN_SIGN, SN_SQUARE,
};

enum sn_binary { SN_ADD, SN_SUBTRACT, SN_MULTIPLY, SN_DIVIDE, SN_MINIMUM, SN_MAXIMUM, SN_POWER };

enum sn_reduction { SN_SUM, SN_MEAN, SN_MAX, SN_MIN, SN_SUM_OF_SQUARES };

/// y = residual + mask * activation(x * scale + bias); a null pointer leaves its step out.
struct sn_epilogue {
    const float *scale, *bias; ///< One per channel.
    const float *mask;         ///< One per position.
    const float *residual;     ///< Laid out as the output.
    int activation;            ///< `enum sn_unary`.
};

/// One 1-D convolution of one sequence and one group.
struct sn_convolution {
    ptrdiff_t input_channels, output_channels; ///< Of this group.
    ptrdiff_t kernel, stride, dilation, pad_begin;
    ptrdiff_t length, output_length;
    ptrdiff_t input_stride, output_stride; ///< From one row (channels last) or channel (channels first) to the next.
    bool finite_weights;                   ///< What they make of padding is zero, and need not be computed.
};

/// Outputs begin ..< end of a sequence that lies at row `source` of the input, and whose result does at row `target`.
struct sn_convolution_part {
    ptrdiff_t source, length, target, begin, end;
};

/// Where `filter_rows` keeps a block of tiles, in elements.
struct sn_winograd_block {
    ptrdiff_t input_width, output_width;       ///< From one tile to the next.
    ptrdiff_t input_distance, output_distance; ///< From one point to the next.
    ptrdiff_t scratch;                         ///< What all takes.
};

/// One step of a recurrent layer of one direction. Rows of `h`, `c`, `products` and `masked` are dense.
struct sn_recurrent_step {
    ptrdiff_t hidden;
    int activations[3];  ///< `enum sn_unary`: sigmoid, tanh, ReLU, softplus or identity.
    float clip;          ///< Sums are cut to -clip ... clip before a gate's function; below 0 for no bounds.
    bool couples;        ///< LSTM: the forget gate is 1 - input gate.
    const float *bias;   ///< GRU: added to the candidate's product, [hidden].
    const float *peepholes; ///< LSTM: of the input, output and forget gates, [3][hidden]; null for none.
    const float *const *projections; ///< For each row, what its input gives to the gates, with the biases added.
    ptrdiff_t ahead;                 ///< Elements from a row of projections to that of the next step, for prefetching.
    float *const *outputs;           ///< For each row, where the new state is written as well; null for none.
    float *products;     ///< Each row's state times the matrix, gate by gate.
    float *masked;       ///< GRU in two parts: reset * h, then its product; [rows][hidden].
    float *h, *c;        ///< The states, [rows][hidden].
};

enum sn_step_kind {
    SN_STEP_COPY, SN_STEP_UNARY, SN_STEP_BINARY, SN_STEP_AFFINE, SN_STEP_MULTIPLY, SN_STEP_MULTIPLY_AFFINE,
};

/// A matrix that one operation of a step reads: element (i, j) of step t at data[t * step + i * row + j * column], or, if
/// `by_row`, at data[(rows of all steps before t) * step + ...].
struct sn_step_operand {
    const float *data;
    ptrdiff_t row, column, step; ///< `column` is 1, or 0 where one element stands for a row.
    bool by_row;
    const ptrdiff_t *index; ///< If not null, step t has the place of step index[t].
};

/// One operation of a step; the rows of c are dense and stand at c + t * c_step + i * c_row.
struct sn_step {
    int kind;      ///< `enum sn_step_kind`.
    int operation; ///< Of a unary or binary (all but power) one.
    ptrdiff_t rows, columns;
    bool alive;    ///< As many rows as the step has, instead of `rows`.
    bool dense;    ///< Rows of all operands follow each other, so that they may be taken for one.
    struct sn_step_operand a, b, d; ///< Affine: c = a * b + d. Only b, d and binary operands may have column 0.
    float *c;
    ptrdiff_t c_row, c_step;
    bool c_by_row;
    ptrdiff_t inner;                ///< Multiply: c = alpha * a * panels, `inner` columns of a; then * b + d, if affine.
    const float *panels;
    const uint16_t *narrow_panels;  ///< Instead of `panels`, with the function for them.
    void (*narrow_multiply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                            const uint16_t *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                            ptrdiff_t residual_stride);
    float alpha;
    bool has_epilogue;
    struct sn_epilogue epilogue;
};

/// What a row is normalized with: in float with the mean as a sum of two, of which the first difference is exact near the mean,
/// so that nothing is lost where values are close together and far from 0; or in double.
struct sn_normalization {
    double mean, factor, bias;
    float near, rest, scale, shift;
    bool needs_double;
};

/// Double is needed where a factor or mean is so large or small that float could overflow or vanish.
static inline struct sn_normalization sn_normalization_by(double mean, double factor, double bias) {
    const float near = (float)mean;
    const double size = __builtin_fabs(factor);
    return (struct sn_normalization){
        .mean = mean, .factor = factor, .bias = bias,
        .near = near, .rest = (float)(mean - (double)near), .scale = (float)factor, .shift = (float)bias,
        .needs_double = !(__builtin_fabs(mean) <= 0x1p100 && (size == 0 || (size >= 0x1p-60 && size <= 0x1p60))),
    };
}

/// The valid positions begin ..< end of a sequence; the runs of one ascend and do not touch.
struct sn_run {
    ptrdiff_t begin, end;
};

/// Products whose operands are rounded to bfloat16 and whose sums are float32; weights packed by `sn_narrow_pack`. They take
/// what their namesakes of `struct sn_kernels` do.
struct sn_narrow_kernels {
    /// To the nearest, halves to even; what is below the normal range becomes zero, NaN stays NaN.
    void (*round)(ptrdiff_t count, const float *x, uint16_t *y);
    void (*multiply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                     const uint16_t *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                     ptrdiff_t residual_stride);
    void (*convolve_rows)(const struct sn_convolution *s, const float *x, const uint16_t *panels, float *y,
                          const struct sn_epilogue *e, ptrdiff_t residual_stride);
    void (*convolve_channels)(const struct sn_convolution *s, const float *x, const uint16_t *panels, float *y,
                              const struct sn_epilogue *e, ptrdiff_t residual_stride);
};

struct sn_kernels {
    void (*unary)(int operation, const float *x, float *y, ptrdiff_t count);
    /// y = min(max(x, low), high); NaN stays NaN.
    void (*clip)(const float *x, float low, float high, float *y, ptrdiff_t count);
    /// c[i...] = a[i...] op b[i...] over `rank` axes; strides in elements, 0 where an operand is broadcast; c dense.
    void (*binary)(int operation, int rank, const ptrdiff_t *dimensions, const float *a, const ptrdiff_t *a_strides,
                   const float *b, const ptrdiff_t *b_strides, float *c);
    /// The epilogue over rows of `columns`; channels are the columns (`channels_last`) or the rows.
    void (*epilogue)(const struct sn_epilogue *e, bool channels_last, ptrdiff_t rows, ptrdiff_t columns,
                     const float *x, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride);
    /// Over the middle axis of [outer, axis, inner].
    void (*reduce)(int operation, ptrdiff_t outer, ptrdiff_t axis, ptrdiff_t inner, const float *x, float *y);
    void (*softmax)(bool logarithm, ptrdiff_t outer, ptrdiff_t axis, ptrdiff_t inner, const float *x, float *y);
    /// The softmax of rows of `columns`, `stride` apart, in place.
    void (*softmax_rows)(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride, float *x);
    void (*layer_normalization)(ptrdiff_t rows, ptrdiff_t columns, float epsilon, const float *scale,
                                const float *bias, const float *x, float *y, float *means, float *inverse_deviations);
    /// Adds x - shift and its square over the runs of each row to the row's `lanes` [2][SN_MOMENT_LANES], as if the runs
    /// stood side by side from element 0; with more than one run, `scratch` holds as many floats as they do.
    void (*add_moments)(ptrdiff_t rows, const float *x, ptrdiff_t stride, ptrdiff_t run_count,
                        const struct sn_run *runs, const float *shifts, double *lanes, float *scratch);
    /// The same for rows of one element that lie side by side, with one lane each.
    void (*add_moments_of_columns)(ptrdiff_t columns, const float *x, const float *shifts, double *sums,
                                   double *squares);
    /// The sums of `lanes` [rows][2][SN_MOMENT_LANES].
    void (*join_lanes)(ptrdiff_t rows, const double *lanes, double *sums, double *squares);
    /// y = (x - mean) * factor + bias in the runs of each row of `length`; elsewhere 0, or what stands there. y may be x. In
    /// float, with the mean as a sum of two, so within 3 roundings of the product and one of the sum; in double where a factor is
    /// not in 2^-60 ... 2^60 or a mean beyond 2^100.
    void (*normalize_rows)(ptrdiff_t rows, ptrdiff_t length, const float *x, float *y, ptrdiff_t run_count,
                           const struct sn_run *runs, const struct sn_normalization *coefficients, bool keeps_padding);
    /// The same for rows of one element that lie side by side.
    void (*normalize_columns)(ptrdiff_t columns, const float *x, float *y, const struct sn_normalization *coefficients);
    /// B [k, n] into panels [ceil(n / SN_PANEL)][k][SN_PANEL], zeros at the end; B(i, j) = b[i * rs + j * cs].
    void (*pack)(ptrdiff_t k, ptrdiff_t n, const float *b, ptrdiff_t row_stride, ptrdiff_t column_stride, float *panels);
    /// C = alpha * A * B + beta * C with B packed; then the epilogue, if one is given (channels are the columns).
    void (*multiply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                     const float *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                     ptrdiff_t residual_stride);
    /// The same, reading B from its end: called in turn with `multiply` on one B, each finds in the nearest cache what the other
    /// read last.
    void (*multiply_backward)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                              const float *panels, float beta, float *c, ptrdiff_t ldc, const struct sn_epilogue *e,
                              ptrdiff_t residual_stride);
    /// C = alpha * A * B + beta * C with B as it is; `scratch` holds k * SN_PANEL floats. Best for few rows.
    void (*multiply_unpacked)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a, ptrdiff_t lda,
                              const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc, float *scratch);
    /// Weights packed by `pack` as B [kernel * input channels, output channels], kernel outermost.
    void (*convolve_rows)(const struct sn_convolution *s, const float *x, const float *panels, float *y,
                          const struct sn_epilogue *e, ptrdiff_t residual_stride);
    void (*convolve_channels)(const struct sn_convolution *s, const float *x, const float *panels, float *y,
                              const struct sn_epilogue *e, ptrdiff_t residual_stride);
    /// Parts of sequences by a convolution of stride 1 and 3 ... 7 taps, from weights packed by `sn_winograd_pack`; `scratch`
    /// holds as much as `sn_winograd_block` says. The lengths are the parts', not those in `s`.
    void (*filter_rows)(const struct sn_convolution *s, const float *x, const float *panels, float *y,
                        const struct sn_epilogue *e, ptrdiff_t residual_stride, const struct sn_convolution_part *parts,
                        ptrdiff_t count, float *scratch);
    /// h = f(product + projection).
    void (*rnn_step)(const struct sn_recurrent_step *s, ptrdiff_t rows);
    /// z, r = f(product + projection), n = g(r * (product + bias) + projection), h = (1 - z) n + z h.
    void (*gru_step)(const struct sn_recurrent_step *s, ptrdiff_t rows);
    /// z (in place of its product), and masked = r * h.
    void (*gru_gate_step)(const struct sn_recurrent_step *s, ptrdiff_t rows);
    /// n = g(masked + projection), h = (1 - z) n + z h.
    void (*gru_state_step)(const struct sn_recurrent_step *s, ptrdiff_t rows);
    /// i, f = f(product + projection + peephole * c), c = f c + i g(...), h = f(... + peephole * c) o(c).
    void (*lstm_step)(const struct sn_recurrent_step *s, ptrdiff_t rows);
    /// All operations of step 0 in order, then those of step 1, and so on; `alive` has the rows of each step, or is null.
    void (*run_steps)(const struct sn_step *program, ptrdiff_t count, ptrdiff_t steps, const ptrdiff_t *alive);
    struct sn_narrow_kernels narrow;
};

/// Tells the processor that the thread waits for another in a loop.
static inline void sn_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// The table of an instruction set; null if this machine cannot run it.
const struct sn_kernels *sn_kernels_for(int instruction_set);
/// The instruction set in use.
int sn_active_instruction_set(void);
/// The table in use; never null.
const struct sn_kernels *sn_active(void);

/// Elements from one tap to the next in the inner dimension of packed bfloat16 weights of `depth` input channels.
ptrdiff_t sn_narrow_piece(ptrdiff_t depth);
/// The inner dimension of packed bfloat16 weights, zeros included; a multiple of SN_NARROW_BLOCK.
ptrdiff_t sn_narrow_depth(ptrdiff_t taps, ptrdiff_t depth);
/// `count` panels of `pack`, [count][taps * depth][SN_PANEL], rounded, into pairs of rows:
/// [count][sn_narrow_depth / 2][SN_PANEL][2].
void sn_narrow_pack(ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t count, const float *panels, uint16_t *narrow);

/// What `filter_rows` needs for so many channels.
struct sn_winograd_block sn_winograd_block(ptrdiff_t input_channels, ptrdiff_t output_channels);
/// `count` panels of `pack`, [count][taps * depth][SN_PANEL], transformed: [SN_WINOGRAD_POINTS][count][depth][SN_PANEL].
void sn_winograd_pack(ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t count, const float *panels, float *transformed);

/// y[j, i] = x[i, j] of elements of 1, 2, 4 or 8 bytes.
void sn_transpose(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t element_bytes, const void *x, void *y);
/// y dense with `dimensions`; the element at an index of y stands in x at the sum of index * stride (in elements).
void sn_permute(int rank, const ptrdiff_t *dimensions, const ptrdiff_t *x_strides, ptrdiff_t element_bytes,
                const void *x, void *y);

#ifdef __cplusplus
}
#endif
#endif
