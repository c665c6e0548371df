/* The tokens and merges of a model as JSON and as text, for the forms that share them. */
#ifndef LXM_FORMATS_MODEL_JSON_H
#define LXM_FORMATS_MODEL_JSON_H

#include <jansson.h>

#include "idmap/bpe.h"

/* Whether the model's symbols are bytes, which such files write as characters. */
bool lxm_model_is_byte_level(const lxm_vocab *vocab);

/* {"token": id, ...} in order of ids. Without `outside`, added tokens that the model doesn't see
 * are left out where a list of them tells their ids. What JSON can't hold, or what would be read as
 * another token, is refused. */
lxm_status lxm_model_tokens(const lxm_vocab *vocab, bool outside, json_t **tokens,
                            lxm_error *error);

/* Refuses a token that no string of JSON can be. */
lxm_status lxm_model_check_text(const lxm_vocab *vocab, uint32_t id, lxm_error *error);

/* Appends what a token is written as; the error names one that can't be. */
lxm_status lxm_model_token_text(const lxm_vocab *vocab, uint32_t id, lxm_buffer *text,
                                lxm_error *error);

/* The whole "model" of a tokenizer.json. */
lxm_status lxm_model_json(const lxm_vocab *vocab, json_t **model, lxm_error *error);

/* Writes JSON and what stands behind it to an output. */
lxm_status lxm_json_write(const json_t *json, size_t flags, const char *end, lxm_output *output,
                          lxm_error *error);

#endif
