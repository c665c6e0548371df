/* The options of a tokenizer, compiled. */
#ifndef LXM_TOKENIZE_TOKENIZER_H
#define LXM_TOKENIZE_TOKENIZER_H

#include "tokenize/scanner.h"
#include "tokenize/specials.h"
#include "tokenize/step.h"

struct lxm_tokenizer {
    lxm_allocator allocator;
    lxm_tokenizer_options options; /* its pointers are the caller's: not to be used */
    const lxm_scanner *scanner;
    lxm_scanner *compiled;            /* the same where PCRE2 serves, otherwise NULL */
    lxm_specials specials;            /* kept whole in the text as it comes, */
    lxm_specials normalized_specials; /* and in normalised text */
    lxm_step *steps;                  /* of normalisation */
    size_t step_count;
    lxm_step *metaspace; /* the last step, between tokens kept whole; or NULL */
    size_t max_token;
    char *settings;
    /* Whether text may be cut between an ASCII letter or digit and a space or newline, and both
     * sides be segmented as subjects of their own, with the same tokens. True for the presets, as
     * each of them ends a token there and looks no further; unknown for a user's pattern. */
    bool divisible;
    bool lines;  /* a newline will do, where it is divisible */
    bool parted; /* by white space, wherever it stands and whatever stands around it */
};

/* What a file says beyond options. */
typedef struct lxm_recipe {
    lxm_step *steps; /* behind the normalisation of the options */
    size_t step_count, step_capacity;
    lxm_step *metaspace; /* or NULL */
    lxm_added *added;
    size_t added_count;
    bool divisible; /* as of a tokenizer, for the pattern of the options; at spaces */
    lxm_allocator allocator;
} lxm_recipe;

/* A zeroed step of a kind at the end of a recipe's steps, or NULL. */
lxm_step *lxm_recipe_add(lxm_recipe *recipe, const lxm_step_kind *kind);
void lxm_recipe_free(lxm_recipe *recipe);

/* The tokenizer takes the steps of the recipe over, which is left without. */
lxm_status lxm_tokenizer_make(lxm_tokenizer **tokenizer, const lxm_tokenizer_options *options,
                              lxm_recipe *recipe, const lxm_allocator *allocator, lxm_error *error);

/* Where text[0, length) may be cut: the last such place, or 0. */
size_t lxm_tokenizer_cut(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t length);

#endif
