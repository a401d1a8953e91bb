#ifndef CSIMDJSON_H
#define CSIMDJSON_H

// A C view of simdjson's DOM: parse once, walk the tape, read numbers in bulk; and numbers out as text.
// No function throws; no function reads outside the document. A value is named by its place on the tape,
// and is valid until the next parse. A parser is used by one thread at a time.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csj_parser csj_parser;
typedef size_t csj_value;

typedef enum {
    CSJ_OK = 0,
    CSJ_NO_MEMORY,
    CSJ_TOO_LARGE,
    CSJ_TOO_DEEP,
    CSJ_MALFORMED,
} csj_status;

typedef enum {
    CSJ_OBJECT,
    CSJ_ARRAY,
    CSJ_STRING,
    CSJ_INT64,
    CSJ_UINT64,
    CSJ_DOUBLE,
    CSJ_TRUE,
    CSJ_FALSE,
    CSJ_NULL,
    CSJ_END,
} csj_kind;

typedef enum {
    CSJ_FINE = 0,
    CSJ_NOT_AN_ARRAY,
    CSJ_WRONG_COUNT,
    CSJ_NOT_A_NUMBER,
    CSJ_NOT_AN_INTEGER,
    CSJ_OUT_OF_RANGE,
} csj_fault;

// The first place where an array is not what is needed.
typedef struct {
    csj_fault fault;
    size_t row;
    size_t column;
    size_t count;   // CSJ_WRONG_COUNT: the elements found
    csj_kind kind;  // CSJ_NOT_AN_ARRAY, CSJ_NOT_A_NUMBER: what stands there
} csj_place;

// NULL if there is no memory.
csj_parser *csj_create(size_t max_depth);
void csj_destroy(csj_parser *parser);
// The largest document seen, in bytes: what the parser's memory is proportional to.
size_t csj_capacity(const csj_parser *parser);

// Parses `length` bytes, of which `readable` (at least `length`) may be read; copies them only if there is
// no room for simdjson's look-ahead. The bytes are not needed afterwards.
csj_status csj_parse(csj_parser *parser, const uint8_t *bytes, size_t length, size_t readable);

// The whole document.
csj_value csj_root(const csj_parser *parser);
csj_kind csj_kind_of(const csj_parser *parser, csj_value value);
// The first element of an array, the first key of an object; CSJ_END if there is none.
csj_value csj_first(const csj_parser *parser, csj_value container);
// What follows a value in its container; CSJ_END after the last.
csj_value csj_next(const csj_parser *parser, csj_value value);
// The number of elements of an array or of members of an object.
size_t csj_count(const csj_parser *parser, csj_value container);
// UTF-8 of a string; valid until the next parse.
const uint8_t *csj_string(const csj_parser *parser, csj_value string, size_t *length);
// An integer within `lower ... upper`, also when written with a fraction of zero.
csj_fault csj_int64(const csj_parser *parser, csj_value value, int64_t lower, int64_t upper, int64_t *out);
csj_fault csj_double(const csj_parser *parser, csj_value value, double *out);

// Whether every element of an array is an array of `columns` elements.
csj_place csj_check_rows(const csj_parser *parser, csj_value array, size_t columns);
// Writes csj_count(array) * columns floats; the rows must have passed csj_check_rows. Numbers are read as
// doubles and rounded to the nearest float; one that rounds to infinity is out of range.
csj_place csj_read_rows(const csj_parser *parser, csj_value array, size_t columns, float *out);
// Writes csj_count(array) integers, each within `lower ... upper`.
csj_place csj_read_int64s(
    const csj_parser *parser, csj_value array, int64_t lower, int64_t upper, int64_t *out);

// Whether an array nests exactly as a tensor of this shape. At the first fault `row` is its depth and
// `path` holds that many indices.
csj_place csj_check_nesting(
    const csj_parser *parser, csj_value array, const size_t *dimensions, size_t rank, size_t *path);
// The elements of an array in order, nested arrays flattened; at most `capacity` are written. `row` of a
// fault is the index in that order.
csj_place csj_flatten_floats(const csj_parser *parser, csj_value array, float *out, size_t capacity);
csj_place csj_flatten_int64s(
    const csj_parser *parser, csj_value array, int64_t lower, int64_t upper, bool booleans, int64_t *out,
    size_t capacity);

// The most bytes one number takes with its separator.
#define CSJ_FLOAT_BYTES 17
#define CSJ_DOUBLE_BYTES 27
#define CSJ_INT64_BYTES 21

// Shortest decimal text that reads back as the same value, with commas between; a value that is not finite
// is written as null, since JSON has no other word for it. All return the bytes written.
size_t csj_write_floats(const float *values, size_t count, char *out);
size_t csj_write_doubles(const double *values, size_t count, char *out);
size_t csj_write_int64s(const int64_t *values, size_t count, char *out);
// "[a,b],[c,d]": rows of `columns` floats; needs rows * (columns * CSJ_FLOAT_BYTES + 3) bytes.
size_t csj_write_rows(const float *values, size_t rows, size_t columns, char *out);

#ifdef __cplusplus
}
#endif
#endif
