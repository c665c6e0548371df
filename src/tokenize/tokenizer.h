/* The options of a tokenizer, compiled. */
#ifndef LXM_TOKENIZE_TOKENIZER_H
#define LXM_TOKENIZE_TOKENIZER_H

#include "tokenize/scanner.h"
#include "tokenize/specials.h"

struct lxm_tokenizer {
    lxm_allocator allocator;
    lxm_tokenizer_options options; /* its pointers are the caller's: not to be used */
    lxm_scanner *scanner;
    lxm_specials specials;
    size_t max_token;
    char *settings;
};

#endif
