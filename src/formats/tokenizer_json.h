/* What a tokenizer.json says of how text becomes pre-tokens, as options of a tokenizer. */
#ifndef LXM_FORMATS_TOKENIZER_JSON_H
#define LXM_FORMATS_TOKENIZER_JSON_H

#include <jansson.h>

#include "base/memory.h"
#include "lexmill/stream.h"
#include "lexmill/tokenize.h"

typedef struct lxm_rules {
    lxm_tokenizer_options options;
    bool bert;          /* the normaliser is BERT's, */
    bool ideographs;    /* which sets ideographs apart */
    lxm_buffer pattern; /* what options.pattern points to, where that isn't a preset's */
} lxm_rules;

/* "type" of a part, or "". */
const char *lxm_rules_type(const json_t *part);

/* LXM_ERROR_UNSUPPORTED: "tokenizer.json: WHAT TYPE ..." */
lxm_status lxm_rules_refuse(const char *what, const char *type, lxm_error *error);

/* A member that is true or false; `missing` where there is none. */
bool lxm_rules_flag(const json_t *part, const char *name, bool missing);

/* The normaliser goes first. */
lxm_status lxm_rules_normalizer(lxm_rules *rules, const json_t *normalizer, lxm_error *error);
lxm_status lxm_rules_pre_tokenizer(lxm_rules *rules, const json_t *part, lxm_error *error);

/* lxm_tokenizer_open of what a file holds. */
lxm_status lxm_tokenizer_from_json(lxm_tokenizer **tokenizer, const json_t *root,
                                   const lxm_tokenizer_options *options,
                                   const lxm_allocator *allocator, lxm_error *error);

/* Appends a preset's pattern, NUL behind it, as a Regex of a tokenizer.json:
 * lxm_rules_pre_tokenizer knows it again. False when memory runs out. */
bool lxm_rules_regex(lxm_buffer *regex, const lxm_preset *preset);

/* Whether text may lie between a preset's tokens. */
bool lxm_rules_drops_text(const lxm_preset *preset);

/* Writes one: an lxm_vocab_format's `write`. */
lxm_status lxm_tokenizer_json_write(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                                    lxm_output *output, lxm_error *error);

#endif
