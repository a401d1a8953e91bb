// The products of bfloat16 for one instruction set; all else is taken from the table of AVX-512.

// Only the tiles' ends are used of what these files define.
#pragma clang diagnostic ignored "-Wunused-function"
#include "vector.h"
#include "vector_math.h"
#include "elementwise.h"
#include "epilogue.h"
#include "matrix.h"
#include "narrow.h"

const struct sn_narrow_kernels SN_TABLE = NARROW_TABLE;
