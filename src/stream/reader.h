/* What the readers of the forms share: a window on the input and room for one block. */
#ifndef LXM_STREAM_READER_H
#define LXM_STREAM_READER_H

#include "base/memory.h"
#include "lexmill/stream.h"

enum { lxm_reader_items = 16384 };

struct lxm_reader {
    lxm_allocator allocator;
    lxm_input *input;
    lxm_kind kind;
    lxm_status (*next)(lxm_reader *reader, lxm_block *block, bool *more, lxm_error *error);
    /* input: data[begin, length) is not used yet */
    lxm_buffer window;
    size_t begin;
    uint64_t position; /* in the input, of window.data[begin] */
    bool ended;        /* the input has no more */
    /* block */
    lxm_span *spans;
    uint32_t *ids;
    uint64_t *offsets;
    size_t capacity; /* of the three, items */
    /* text */
    uint64_t line;    /* number of the line that begins, or goes on, at `begin` */
    bool in_document; /* something of a document has been seen */
    bool in_line;     /* ids: the line has begun */
    /* binary */
    bool has_offsets;
    uint64_t fingerprint;
    char *settings;
    uint64_t frames, items, documents, bytes, checksum;
    size_t frame_items, frame_documents, item, document; /* the frame, and how far it is read */
    lxm_buffer ends;                                     /* of documents, u32 */
    size_t items_at;      /* where its items begin: behind the text */
    const uint8_t *frame; /* its payload, in the window */
    size_t frame_length;  /* in the window, header included */
};

/* Reads on until `wanted` bytes wait in the window, or the input ends. */
lxm_status lxm_reader_fill(lxm_reader *reader, size_t wanted, lxm_error *error);

static inline size_t lxm_reader_waiting(const lxm_reader *reader)
{
    return reader->window.length - reader->begin;
}

static inline void lxm_reader_skip(lxm_reader *reader, size_t length)
{
    reader->begin += length;
    reader->position += length;
}

/* Room for `items` spans, ids and offsets. */
lxm_status lxm_reader_reserve(lxm_reader *reader, size_t items, lxm_error *error);

/* lxm_reader_next for as many documents as are at hand: ends[i] of the block's items stand before
 * the end of document i, and the last may go on. All of it is the reader's until the next call. */
lxm_status lxm_reader_next_documents(lxm_reader *reader, lxm_block *block, const uint32_t **ends,
                                     size_t *count, bool *more, lxm_error *error);

lxm_status lxm_reader_open_binary(lxm_reader *reader, lxm_error *error);
lxm_status lxm_reader_next_binary(lxm_reader *reader, lxm_block *block, bool *more,
                                  lxm_error *error);
lxm_status lxm_reader_next_frame(lxm_reader *reader, lxm_block *block, bool *more,
                                 lxm_error *error);
lxm_status lxm_reader_next_tokens(lxm_reader *reader, lxm_block *block, bool *more,
                                  lxm_error *error);
lxm_status lxm_reader_next_ids(lxm_reader *reader, lxm_block *block, bool *more, lxm_error *error);

#endif
