/*
 * What a tokenizer.json says beside its model: the normaliser, how text is cut, added tokens and
 * their flags, what is put around a text, how ids become text. A vocabulary keeps it, so that it
 * isn't lost on the way through a compiled file.
 */
#ifndef LXM_FORMATS_DESCRIPTION_H
#define LXM_FORMATS_DESCRIPTION_H

#include <jansson.h>

#include "idmap/vocab.h"

/* Keeps all of a tokenizer.json but its model. */
lxm_status lxm_description_keep(lxm_vocab *vocab, const json_t *root, lxm_error *error);

/* What the vocabulary kept, or what can be told without; with the options' preset in the place of
 * the normaliser and the pattern. To be freed with json_decref. */
lxm_status lxm_description_of(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                              json_t **root, lxm_error *error);

/* The same as text, ended by a NUL. */
lxm_status lxm_description_write(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                                 lxm_buffer *text, lxm_error *error);

#endif
