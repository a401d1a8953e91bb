#pragma once

#include <memory>

#include "CSimdJSON.h"
#include "simdjson.h"

struct csj_parser {
    simdjson::dom::parser parser;
    std::unique_ptr<uint8_t[]> padded;
    size_t padded_bytes = 0;
};

// simdjson's tape (its doc/tape.md): a word's top byte is its type; a container's start word holds the index
// after its end in the low 32 bits and its count, saturated, in the 24 above; a number's value is the next word.
namespace tape {

constexpr uint64_t payload_mask = (uint64_t(1) << 56) - 1;
constexpr size_t saturated_count = 0xFFFFFF;

inline const uint64_t *words(const csj_parser *parser) { return parser->parser.doc.tape.get(); }
inline char type(uint64_t word) { return char(word >> 56); }
inline uint64_t payload(uint64_t word) { return word & payload_mask; }
inline bool is_container(char type) { return type == '[' || type == '{'; }
inline bool is_number(char type) { return type == 'l' || type == 'u' || type == 'd'; }
inline bool is_end(char type) { return type == ']' || type == '}' || type == 'r'; }

inline size_t after(const uint64_t *words, size_t at) {
    char type = tape::type(words[at]);
    if (is_container(type)) return size_t(uint32_t(words[at]));
    return at + (is_number(type) ? 2 : 1);
}

inline size_t count(const uint64_t *words, size_t at) {
    size_t stored = size_t(payload(words[at]) >> 32);
    if (stored < saturated_count) return stored;
    bool object = type(words[at]) == '{';
    size_t found = 0;
    for (size_t next = at + 1; !is_end(type(words[next])); next = after(words, next)) {
        if (object) next = after(words, next);
        found++;
    }
    return found;
}

csj_kind kind(char type);
csj_fault to_float(const uint64_t *word, float *out);
csj_fault to_double(const uint64_t *word, double *out);
csj_fault to_int64(const uint64_t *word, int64_t lower, int64_t upper, int64_t *out);

}  // namespace tape
