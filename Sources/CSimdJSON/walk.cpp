#include <cstring>

#include "tape.hpp"

csj_kind tape::kind(char type) {
    switch (type) {
    case '{': return CSJ_OBJECT;
    case '[': return CSJ_ARRAY;
    case '"': return CSJ_STRING;
    case 'l': return CSJ_INT64;
    case 'u': return CSJ_UINT64;
    case 'd': return CSJ_DOUBLE;
    case 't': return CSJ_TRUE;
    case 'f': return CSJ_FALSE;
    case 'n': return CSJ_NULL;
    default: return CSJ_END;
    }
}

csj_value csj_root(const csj_parser *) { return 1; }

csj_kind csj_kind_of(const csj_parser *parser, csj_value value) {
    return tape::kind(tape::type(tape::words(parser)[value]));
}

csj_value csj_first(const csj_parser *, csj_value container) { return container + 1; }

csj_value csj_next(const csj_parser *parser, csj_value value) {
    return tape::after(tape::words(parser), value);
}

size_t csj_count(const csj_parser *parser, csj_value container) {
    return tape::count(tape::words(parser), container);
}

const uint8_t *csj_string(const csj_parser *parser, csj_value string, size_t *length) {
    const uint8_t *start = parser->parser.doc.string_buf.get() + tape::payload(tape::words(parser)[string]);
    uint32_t bytes;
    std::memcpy(&bytes, start, sizeof bytes);
    *length = bytes;
    return start + sizeof bytes;
}

csj_fault csj_int64(
    const csj_parser *parser, csj_value value, int64_t lower, int64_t upper, int64_t *out) {
    return tape::to_int64(tape::words(parser) + value, lower, upper, out);
}

csj_fault csj_double(const csj_parser *parser, csj_value value, double *out) {
    return tape::to_double(tape::words(parser) + value, out);
}
