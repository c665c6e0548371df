/*
 * Documents that newlines end, many at a time: what a call for each would cost is more than what
 * they are. Their text is scanned as one subject, and the tokens are cut at the newlines.
 *
 * That gives the tokens that each has alone, whatever the preset: where a newline isn't left out it
 * stands in a token of white space, whose parts between newlines are tokens of white space at the
 * end of a document or before its first word, or behind punctuation, which takes in line ends
 * alone. Only a \r that ends no line has other ends, and o200k's punctuation takes in a / behind
 * them.
 */
#ifndef LXM_TOKENIZE_LINES_H
#define LXM_TOKENIZE_LINES_H

#include "lexmill/tokenize.h"

typedef struct lxm_lines lxm_lines;

/* Takes tokens of several documents in order, of which the last may go on: ends[i] of them stand
 * before the end of document i. Spans count from the start of what was pushed where tokens have
 * offsets, which count from the start of their document. The ends may be overwritten. */
typedef lxm_status lxm_lines_sink(void *context, const lxm_tokens *tokens, uint32_t *ends,
                                  size_t count, lxm_error *error);

/* *lines is NULL where the tokenizer's documents can't be joined. It must outlive them. */
lxm_status lxm_lines_new(lxm_lines **lines, const lxm_tokenizer *tokenizer, lxm_lines_sink *sink,
                         void *context, const lxm_allocator *allocator, lxm_error *error);
void lxm_lines_free(lxm_lines *lines);

/* Whether a text can go this way: it is UTF-8, and nothing in it needs a closer look. */
bool lxm_lines_can(const lxm_lines *lines, const uint8_t *text, size_t length);

/* Whole documents, under 1 GiB, each with its newline, which the last may lack; \r before \n
 * belongs to the end. */
lxm_status lxm_lines_push(lxm_lines *lines, const uint8_t *text, size_t length, lxm_error *error);

#endif
