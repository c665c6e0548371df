/* Where documents begin and end in a file. */
#ifndef LXM_TOKENIZE_DOCUMENTS_H
#define LXM_TOKENIZE_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenize/sentences.h"

typedef enum lxm_split {
    LXM_SPLIT_FILE = 0,
    LXM_SPLIT_LINE = 1,
    LXM_SPLIT_BLANK = 2,
    LXM_SPLIT_NUL = 3,
    LXM_SPLIT_SENTENCE = 4
} lxm_split;

typedef struct lxm_splitter {
    lxm_split how;
    bool in_document;            /* a piece of a document has been handed out, its end hasn't */
    lxm_sentence_state sentence; /* of that document */
} lxm_splitter;

/* A part of a document: bytes[begin, end). */
typedef struct lxm_piece {
    size_t begin, end;
    bool last;    /* the document ends here */
    bool nothing; /* there is no piece: more bytes are needed, or the file is done */
} lxm_piece;

/* Finds the next piece in bytes[0, length); `final` where the file ends there. Returns how many
 * bytes are dealt with; the rest must be presented again, with more behind it. */
size_t lxm_splitter_next(lxm_splitter *splitter, const uint8_t *bytes, size_t length, bool final,
                         lxm_piece *piece);

/* Where the whole documents at the start of bytes[0, length) end that each end with a byte of their
 * own; 0 where there are none, or one is under way. */
size_t lxm_splitter_whole(const lxm_splitter *splitter, const uint8_t *bytes, size_t length,
                          bool final);

#endif
