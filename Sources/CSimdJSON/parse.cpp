#include <cstring>
#include <new>

#include "tape.hpp"

csj_parser *csj_create(size_t max_depth) {
    csj_parser *parser = new (std::nothrow) csj_parser;
    if (parser == nullptr) return nullptr;
    if (parser->parser.allocate(4096, max_depth) != simdjson::SUCCESS) {
        delete parser;
        return nullptr;
    }
#ifdef SIMDJSON_THREADS_ENABLED
    parser->parser.threaded = false;
#endif
    return parser;
}

void csj_destroy(csj_parser *parser) { delete parser; }

size_t csj_capacity(const csj_parser *parser) { return parser->parser.capacity(); }

static const uint8_t *with_padding(csj_parser *parser, const uint8_t *bytes, size_t length) {
    if (parser->padded_bytes < length + simdjson::SIMDJSON_PADDING) {
        size_t needed = length + length / 2 + simdjson::SIMDJSON_PADDING;
        parser->padded.reset(new (std::nothrow) uint8_t[needed]);
        parser->padded_bytes = parser->padded ? needed : 0;
        if (!parser->padded) return nullptr;
    }
    if (length > 0) std::memcpy(parser->padded.get(), bytes, length);
    std::memset(parser->padded.get() + length, ' ', simdjson::SIMDJSON_PADDING);
    return parser->padded.get();
}

csj_status csj_parse(csj_parser *parser, const uint8_t *bytes, size_t length, size_t readable) {
    if (length > simdjson::SIMDJSON_MAXSIZE_BYTES - simdjson::SIMDJSON_PADDING) return CSJ_TOO_LARGE;
    if (readable < length || readable - length < simdjson::SIMDJSON_PADDING) {
        bytes = with_padding(parser, bytes, length);
        if (bytes == nullptr) return CSJ_NO_MEMORY;
    }
    switch (parser->parser.parse(bytes, length, false).error()) {
    case simdjson::SUCCESS: return CSJ_OK;
    case simdjson::MEMALLOC: return CSJ_NO_MEMORY;
    case simdjson::CAPACITY: return CSJ_TOO_LARGE;
    case simdjson::DEPTH_ERROR: return CSJ_TOO_DEEP;
    default: return CSJ_MALFORMED;
    }
}
