// Everything for one instruction set; the including file sets SN_SET, SN_TABLE and the target.

#include "vector.h"
#include "vector_math.h"
#include "elementwise.h"
#include "epilogue.h"
#include "reduction.h"
#include "normalization.h"
#include "masked_normalization.h"
#include "matrix.h"
#include "convolution.h"
#include "winograd.h"
#include "recurrent.h"
#include "steps.h"
#include "narrow.h"

const struct sn_kernels SN_TABLE = {
    .unary = unary,
    .clip = clip,
    .binary = binary,
    .epilogue = epilogue,
    .reduce = reduce,
    .softmax = softmax,
    .softmax_rows = softmax_rows,
    .layer_normalization = layer_normalization,
    .add_moments = add_moments,
    .add_moments_of_columns = add_moments_of_columns,
    .join_lanes = join_lanes,
    .normalize_rows = normalize_rows,
    .normalize_columns = normalize_columns,
    .pack = pack,
    .multiply = multiply,
    .multiply_backward = multiply_backward,
    .multiply_unpacked = multiply_unpacked,
    .convolve_rows = convolve_rows,
    .convolve_channels = convolve_channels,
    .filter_rows = filter_rows,
    .rnn_step = rnn_step,
    .gru_step = gru_step,
    .gru_gate_step = gru_gate_step,
    .gru_state_step = gru_state_step,
    .lstm_step = lstm_step,
    .run_steps = run_steps,
    .narrow = NARROW_TABLE,
};
