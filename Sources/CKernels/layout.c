#include "include/CKernels.h"

#include <string.h>

#define DEFINE_TRANSPOSE(T)                                                                                   \
    static void transpose_##T(ptrdiff_t rows, ptrdiff_t columns, const T *x, ptrdiff_t x_stride, T *y,        \
                              ptrdiff_t y_stride) {                                                           \
        enum { block = 16 };                                                                                  \
        for (ptrdiff_t i = 0; i < rows; i += block)                                                           \
            for (ptrdiff_t j = 0; j < columns; j += block) {                                                  \
                const ptrdiff_t i_end = i + block < rows ? i + block : rows;                                  \
                const ptrdiff_t j_end = j + block < columns ? j + block : columns;                            \
                for (ptrdiff_t c = j; c < j_end; c++)                                                         \
                    for (ptrdiff_t r = i; r < i_end; r++) y[c * y_stride + r] = x[r * x_stride + c];          \
            }                                                                                                 \
    }                                                                                                         \
    static void strided_copy_##T(ptrdiff_t n, const T *x, ptrdiff_t stride, T *y) {                           \
        for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i * stride];                                               \
    }
DEFINE_TRANSPOSE(uint8_t)
DEFINE_TRANSPOSE(uint16_t)
DEFINE_TRANSPOSE(uint32_t)
DEFINE_TRANSPOSE(uint64_t)

static void transpose(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t bytes, const void *x, ptrdiff_t x_stride, void *y,
                      ptrdiff_t y_stride) {
    switch (bytes) {
    case 1: transpose_uint8_t(rows, columns, x, x_stride, y, y_stride); break;
    case 2: transpose_uint16_t(rows, columns, x, x_stride, y, y_stride); break;
    case 4: transpose_uint32_t(rows, columns, x, x_stride, y, y_stride); break;
    default: transpose_uint64_t(rows, columns, x, x_stride, y, y_stride); break;
    }
}

void sn_transpose(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t element_bytes, const void *x, void *y) {
    transpose(rows, columns, element_bytes, x, columns, y, rows);
}

static void strided_copy(ptrdiff_t n, ptrdiff_t bytes, const void *x, ptrdiff_t stride, void *y) {
    if (stride == 1) {
        memcpy(y, x, (size_t)(n * bytes));
        return;
    }
    switch (bytes) {
    case 1: strided_copy_uint8_t(n, x, stride, y); break;
    case 2: strided_copy_uint16_t(n, x, stride, y); break;
    case 4: strided_copy_uint32_t(n, x, stride, y); break;
    default: strided_copy_uint64_t(n, x, stride, y); break;
    }
}

void sn_permute(int rank, const ptrdiff_t *dimensions, const ptrdiff_t *x_strides, ptrdiff_t element_bytes,
                const void *x, void *y) {
    const char *from = x;
    char *to = y;
    if (rank == 0) {
        memcpy(to, from, (size_t)element_bytes);
        return;
    }
    // Where the last axis of y is strided in x but the one before it is not, the two are transposed in blocks.
    const bool transposed = rank >= 2 && x_strides[rank - 2] == 1 && x_strides[rank - 1] != 1;
    const int outer = transposed ? rank - 2 : rank - 1;
    const ptrdiff_t columns = dimensions[rank - 1];
    const ptrdiff_t rows = transposed ? dimensions[rank - 2] : 1;
    ptrdiff_t index[SN_MAX_RANK] = {0};
    for (;;) {
        if (transposed) transpose(columns, rows, element_bytes, from, x_strides[rank - 1], to, columns);
        else strided_copy(columns, element_bytes, from, x_strides[rank - 1], to);
        to += rows * columns * element_bytes;
        int axis = outer - 1;
        for (; axis >= 0; axis--) {
            from += x_strides[axis] * element_bytes;
            if (++index[axis] < dimensions[axis]) break;
            from -= x_strides[axis] * dimensions[axis] * element_bytes;
            index[axis] = 0;
        }
        if (axis < 0) return;
    }
}
