#include <cmath>
#include <cstring>
#include <limits>

#include "tape.hpp"

static double as_double(uint64_t word) {
    double value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

static int64_t as_int64(uint64_t word) {
    int64_t value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

csj_fault tape::to_float(const uint64_t *word, float *out) {
    switch (type(word[0])) {
    case 'd': {
        double value = as_double(word[1]);
        // The largest double that rounds to a finite float is just under this.
        if (!(std::fabs(value) < 0x1.ffffffp127)) return CSJ_OUT_OF_RANGE;
        *out = float(value);
        return CSJ_FINE;
    }
    case 'l': *out = float(as_int64(word[1])); return CSJ_FINE;
    case 'u': *out = float(word[1]); return CSJ_FINE;
    default: return CSJ_NOT_A_NUMBER;
    }
}

csj_fault tape::to_double(const uint64_t *word, double *out) {
    switch (type(word[0])) {
    case 'd': *out = as_double(word[1]); return CSJ_FINE;
    case 'l': *out = double(as_int64(word[1])); return CSJ_FINE;
    case 'u': *out = double(word[1]); return CSJ_FINE;
    default: return CSJ_NOT_A_NUMBER;
    }
}

csj_fault tape::to_int64(const uint64_t *word, int64_t lower, int64_t upper, int64_t *out) {
    int64_t value;
    switch (type(word[0])) {
    case 'l': value = as_int64(word[1]); break;
    case 'u': return CSJ_OUT_OF_RANGE;
    case 'd': {
        double real = as_double(word[1]);
        if (real != std::floor(real)) return CSJ_NOT_AN_INTEGER;
        if (!(real >= -0x1p63 && real < 0x1p63)) return CSJ_OUT_OF_RANGE;
        value = int64_t(real);
        break;
    }
    default: return CSJ_NOT_A_NUMBER;
    }
    if (value < lower || value > upper) return CSJ_OUT_OF_RANGE;
    *out = value;
    return CSJ_FINE;
}

static csj_place fine() { return csj_place{CSJ_FINE, 0, 0, 0, CSJ_END}; }

static csj_place place(csj_fault fault, size_t row, size_t column, const uint64_t *word) {
    return csj_place{fault, row, column, 0, tape::kind(tape::type(*word))};
}

csj_place csj_check_rows(const csj_parser *parser, csj_value array, size_t columns) {
    const uint64_t *words = tape::words(parser);
    size_t row = 0;
    for (size_t at = array + 1; tape::type(words[at]) != ']'; at = tape::after(words, at), row++) {
        if (tape::type(words[at]) != '[') return place(CSJ_NOT_AN_ARRAY, row, 0, words + at);
        size_t found = tape::count(words, at);
        if (found != columns) return csj_place{CSJ_WRONG_COUNT, row, 0, found, CSJ_ARRAY};
    }
    return fine();
}

csj_place csj_read_rows(const csj_parser *parser, csj_value array, size_t columns, float *out) {
    const uint64_t *words = tape::words(parser);
    size_t row = 0;
    for (size_t at = array + 1; tape::type(words[at]) != ']'; row++) {
        at++;
        for (size_t column = 0; column < columns; column++, at += 2) {
            csj_fault fault = tape::to_float(words + at, out++);
            if (fault != CSJ_FINE) return place(fault, row, column, words + at);
        }
        at++;
    }
    return fine();
}

csj_place csj_read_int64s(
    const csj_parser *parser, csj_value array, int64_t lower, int64_t upper, int64_t *out) {
    const uint64_t *words = tape::words(parser);
    size_t row = 0;
    for (size_t at = array + 1; tape::type(words[at]) != ']'; at += 2, row++) {
        csj_fault fault = tape::to_int64(words + at, lower, upper, out++);
        if (fault != CSJ_FINE) return place(fault, row, 0, words + at);
    }
    return fine();
}

static csj_place check_nesting(
    const uint64_t *words, size_t array, const size_t *dimensions, size_t rank, size_t depth, size_t *path) {
    size_t found = tape::count(words, array);
    if (found != dimensions[depth]) return csj_place{CSJ_WRONG_COUNT, depth, 0, found, CSJ_ARRAY};
    path[depth] = 0;
    bool innermost = depth + 1 == rank;
    for (size_t at = array + 1; tape::type(words[at]) != ']'; at = tape::after(words, at), path[depth]++) {
        char type = tape::type(words[at]);
        if (innermost) {
            if (tape::is_container(type)) return place(CSJ_NOT_A_NUMBER, depth + 1, 0, words + at);
        } else {
            if (type != '[') return place(CSJ_NOT_AN_ARRAY, depth + 1, 0, words + at);
            csj_place inner = check_nesting(words, at, dimensions, rank, depth + 1, path);
            if (inner.fault != CSJ_FINE) return inner;
        }
    }
    return fine();
}

csj_place csj_check_nesting(
    const csj_parser *parser, csj_value array, const size_t *dimensions, size_t rank, size_t *path) {
    if (rank == 0) return fine();
    return check_nesting(tape::words(parser), array, dimensions, rank, 0, path);
}

// Calls `read` with each innermost word of an array and its index, until one fails.
template <typename Read>
static csj_place flatten(const csj_parser *parser, csj_value array, size_t capacity, Read read) {
    const uint64_t *words = tape::words(parser);
    size_t end = tape::after(words, array) - 1;
    size_t index = 0;
    for (size_t at = array + 1; at < end;) {
        char type = tape::type(words[at]);
        if (type == '[' || type == ']') {
            at++;
            continue;
        }
        if (index >= capacity) return csj_place{CSJ_WRONG_COUNT, index, 0, index, CSJ_END};
        csj_fault fault = type == '{' ? CSJ_NOT_A_NUMBER : read(words + at, index);
        if (fault != CSJ_FINE) return place(fault, index, 0, words + at);
        at = tape::after(words, at);
        index++;
    }
    if (index != capacity) return csj_place{CSJ_WRONG_COUNT, index, 0, index, CSJ_END};
    return fine();
}

csj_place csj_flatten_floats(const csj_parser *parser, csj_value array, float *out, size_t capacity) {
    return flatten(parser, array, capacity, [out](const uint64_t *word, size_t index) {
        return tape::to_float(word, out + index);
    });
}

csj_place csj_flatten_int64s(
    const csj_parser *parser, csj_value array, int64_t lower, int64_t upper, bool booleans, int64_t *out,
    size_t capacity) {
    return flatten(parser, array, capacity, [=](const uint64_t *word, size_t index) {
        char type = tape::type(*word);
        if (booleans && (type == 't' || type == 'f')) {
            out[index] = type == 't';
            return CSJ_FINE;
        }
        return tape::to_int64(word, lower, upper, out + index);
    });
}
