/*
 * Cuts tokens that are kept whole out of text, with the white space that belongs to them, as
 * Hugging Face's tokenizers do (tokenizers/src/tokenizer/added_vocabulary.rs): a match that isn't a
 * word where it has to be is passed over, and so is what else begins inside of it.
 */
#ifndef LXM_TOKENIZE_CUTTER_H
#define LXM_TOKENIZE_CUTTER_H

#include "tokenize/alignment.h"
#include "tokenize/specials.h"

/* Receives, in order, the text between tokens, in pieces, and the tokens. */
typedef struct lxm_cutter_sink {
    lxm_status (*text)(void *context, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error);
    lxm_status (*token)(void *context, const lxm_special *special, uint64_t source,
                        uint64_t source_end, lxm_error *error);
    void *context;
} lxm_cutter_sink;

typedef struct lxm_cutter {
    const lxm_specials *specials;
    lxm_cutter_sink sink;
    size_t most;             /* bytes that may wait */
    lxm_buffer held;         /* what isn't decided */
    lxm_alignment alignment; /* of it */
    lxm_alignment slice;     /* of what is handed on */
    size_t searched;         /* in what is held, no token begins before; where one may take white
                                space in, all before is that */
    uint32_t previous;       /* the character before what is held; 0: there is none */
    const lxm_special *open; /* a token that takes in white space; it waits for more of that */
    uint64_t source, source_end;
} lxm_cutter;

void lxm_cutter_init(lxm_cutter *cutter, const lxm_specials *specials, const lxm_cutter_sink *sink,
                     size_t most, const lxm_allocator *allocator);
void lxm_cutter_free(lxm_cutter *cutter);
void lxm_cutter_reset(lxm_cutter *cutter);

lxm_status lxm_cutter_push(lxm_cutter *cutter, const uint8_t *text, size_t length,
                           const lxm_alignment *alignment, lxm_error *error);

/* The text ends: the rest of it is handed on. */
lxm_status lxm_cutter_end(lxm_cutter *cutter, lxm_error *error);

#endif
