/*
 * Short texts, many at a time: they go through one segmenter with a newline behind each, and where
 * a token came from says whose it is. What a call for each would cost is more than what they are.
 *
 * That gives the tokens that each has alone where white space parts whatever stands around it, in
 * the pattern and in what is done to the text before.
 */
#ifndef LXM_TOKENIZE_JOINED_H
#define LXM_TOKENIZE_JOINED_H

#include "tokenize/lines.h"

typedef struct lxm_joined lxm_joined;

/* *joined is NULL where the tokenizer's texts can't be joined, or their offsets are wanted. It must
 * outlive them. */
lxm_status lxm_joined_new(lxm_joined **joined, const lxm_tokenizer *tokenizer, lxm_lines_sink *sink,
                          void *context, const lxm_allocator *allocator, lxm_error *error);
void lxm_joined_free(lxm_joined *joined);

/* Whether a text can go this way: it is short and UTF-8. */
bool lxm_joined_can(const lxm_joined *joined, const void *text, size_t length);

/* Adds such a text; its tokens may come with later calls. After an error all texts that wait are
 * forgotten, and so with lxm_joined_clear. */
lxm_status lxm_joined_add(lxm_joined *joined, const void *text, size_t length, lxm_error *error);
lxm_status lxm_joined_flush(lxm_joined *joined, lxm_error *error);
void lxm_joined_clear(lxm_joined *joined);

#endif
