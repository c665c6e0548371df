/* The options of a tokenizer, compiled. */
#ifndef LXM_TOKENIZE_TOKENIZER_H
#define LXM_TOKENIZE_TOKENIZER_H

#include "tokenize/scanner.h"
#include "tokenize/specials.h"

struct lxm_tokenizer {
    lxm_allocator allocator;
    lxm_tokenizer_options options; /* its pointers are the caller's: not to be used */
    const lxm_scanner *scanner;
    lxm_scanner *compiled; /* the same where PCRE2 serves, otherwise NULL */
    lxm_specials specials;
    size_t max_token;
    char *settings;
    /* Whether text may be cut between an ASCII letter or digit and a space or newline, and both
     * sides be segmented as subjects of their own, with the same tokens. True for the presets, as
     * each of them ends a token there and looks no further; unknown for a user's pattern. */
    bool divisible;
};

/* Where text[0, length) may be cut: the last such place, or 0. */
size_t lxm_tokenizer_cut(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t length);

#endif
