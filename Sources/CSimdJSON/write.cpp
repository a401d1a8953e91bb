#include <charconv>
#include <cmath>
#include <cstring>

#include "CSimdJSON.h"

// A number with nothing but digits and a sign is still the same number, except minus zero, which readers
// that have integers would take for 0.
template <typename Real>
static char *write_real(Real value, char *out) {
    if (!std::isfinite(value)) {
        std::memcpy(out, "null", 4);
        return out + 4;
    }
    if (value == 0) {
        if (std::signbit(value)) *out++ = '-';
        std::memcpy(out, "0.0", 3);
        return out + 3;
    }
    return std::to_chars(out, out + 32, value).ptr;
}

template <typename Value, typename Write>
static char *write_list(const Value *values, size_t count, char *out, Write write) {
    for (size_t index = 0; index < count; index++) {
        if (index > 0) *out++ = ',';
        out = write(values[index], out);
    }
    return out;
}

size_t csj_write_floats(const float *values, size_t count, char *out) {
    return size_t(write_list(values, count, out, write_real<float>) - out);
}

size_t csj_write_doubles(const double *values, size_t count, char *out) {
    return size_t(write_list(values, count, out, write_real<double>) - out);
}

size_t csj_write_int64s(const int64_t *values, size_t count, char *out) {
    auto write = [](int64_t value, char *at) { return std::to_chars(at, at + 20, value).ptr; };
    return size_t(write_list(values, count, out, write) - out);
}

size_t csj_write_rows(const float *values, size_t rows, size_t columns, char *out) {
    char *at = out;
    for (size_t row = 0; row < rows; row++) {
        if (row > 0) *at++ = ',';
        *at++ = '[';
        at = write_list(values + row * columns, columns, at, write_real<float>);
        *at++ = ']';
    }
    return size_t(at - out);
}
