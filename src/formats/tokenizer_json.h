/* What a tokenizer.json says of how text becomes pre-tokens, as options of a tokenizer. */
#ifndef LXM_FORMATS_TOKENIZER_JSON_H
#define LXM_FORMATS_TOKENIZER_JSON_H

#include <jansson.h>

#include "lexmill/stream.h"
#include "tokenize/tokenizer.h"

typedef struct lxm_rules {
    json_t *root;
    lxm_tokenizer_options options; /* the first step of normalisation is among them */
    lxm_recipe recipe;
    bool ideographs;    /* BERT's normaliser sets them apart; that is left to the pattern so far */
    lxm_buffer pattern; /* what options.pattern points to, where that isn't a preset's */
} lxm_rules;

/* "type" of a part, or "". */
const char *lxm_rules_type(const json_t *part);

/* LXM_ERROR_UNSUPPORTED: "tokenizer.json: WHAT TYPE ..." */
lxm_status lxm_rules_refuse(const char *what, const char *type, lxm_error *error);

/* A member that is true or false; `missing` where there is none. */
bool lxm_rules_flag(const json_t *part, const char *name, bool missing);

/* Other rules follow than BERT's, which would see the spaces around ideographs: they are put
 * there. */
lxm_status lxm_rules_set_ideographs_apart(lxm_rules *rules, lxm_error *error);

/* The normaliser goes first. */
lxm_status lxm_rules_normalizer(lxm_rules *rules, const json_t *normalizer, lxm_error *error);
lxm_status lxm_rules_pre_tokenizer(lxm_rules *rules, const json_t *part, lxm_error *error);

/* Metaspace; with `words`, behind WhitespaceSplit. */
lxm_status lxm_rules_metaspace(lxm_rules *rules, const json_t *part, bool words, lxm_error *error);

/* No pre-tokenizer: all of a text is one token, or parts of it are that come to the same. */
lxm_status lxm_rules_uncut(lxm_rules *rules, lxm_error *error);

/* The character that stands for spaces by a pre-tokenizer, or the usual one. */
const char *lxm_rules_mark(const json_t *pre_tokenizer);

/* Whether a document may be cut wherever a mark stands behind something else, as the merges of the
 * file's model are. A description without a model says it under these keys. */
bool lxm_rules_marks_divide(const json_t *root, const char *mark);
#define lxm_rules_own_key "lexmill"
#define lxm_rules_marks_key "marks_divide"

/* Whether the normaliser leaves no spaces. */
bool lxm_rules_no_spaces(const lxm_rules *rules);

/* Appends a preset's pattern, NUL behind it, as a Regex of a tokenizer.json:
 * lxm_rules_pre_tokenizer knows it again. False when memory runs out. */
bool lxm_rules_regex(lxm_buffer *regex, const lxm_preset *preset);

/* Whether text may lie between a preset's tokens. */
bool lxm_rules_drops_text(const lxm_preset *preset);

/* Writes one: an lxm_vocab_format's `write`. */
lxm_status lxm_tokenizer_json_write(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                                    lxm_output *output, lxm_error *error);

#endif
