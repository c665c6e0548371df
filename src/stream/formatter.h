/*
 * A formatter turns tokens or ids into the bytes of a stream, in memory. lxm_writer sends them to
 * an output; jobs that run side by side have one each, and their bytes are joined in order.
 */
#ifndef LXM_STREAM_FORMATTER_H
#define LXM_STREAM_FORMATTER_H

#include "base/file.h"
#include "base/memory.h"
#include "lexmill/stream.h"

typedef struct lxm_formatter lxm_formatter;

typedef struct lxm_formatter_functions {
    bool (*begin)(lxm_formatter *formatter); /* what stands before everything else */
    lxm_status (*tokens)(lxm_formatter *formatter, const lxm_tokens *tokens, lxm_error *error);
    lxm_status (*ids)(lxm_formatter *formatter, const lxm_ids *ids, lxm_error *error);
    lxm_status (*end_document)(lxm_formatter *formatter, lxm_error *error);
    bool (*flush)(lxm_formatter *formatter);  /* closes a frame */
    bool (*finish)(lxm_formatter *formatter); /* what stands behind everything else */
} lxm_formatter_functions;

typedef struct lxm_totals {
    uint64_t frames, items, documents, bytes;
    uint64_t checksum; /* of the frames' checksums, in order */
} lxm_totals;

struct lxm_formatter {
    const lxm_formatter_functions *functions;
    lxm_allocator allocator;
    lxm_kind kind;
    bool offsets;
    uint64_t fingerprint;
    const char *settings;
    lxm_buffer out;
    bool valid;       /* tokens come from text that is UTF-8 for certain */
    bool in_document; /* the document that is under way has an item already */
    bool separate;    /* text: a separator is due before what comes next */
    /* binary: the frame under way */
    size_t open;     /* bytes of it that stand at the end of `out` already; 0: none */
    lxm_buffer ends; /* of tokens, u32 */
    lxm_buffer documents;
    lxm_buffer places; /* offsets */
    lxm_totals totals;
    /* JSON Lines: the offsets of the document under way, and where what has waited may go straight;
     * NULL for a job, whose documents are small */
    lxm_spool spool;
    lxm_output *output;
};

extern const lxm_formatter_functions lxm_text_formatter, lxm_binary_formatter, lxm_jsonl_formatter;

/* For a sink: ids and document ends wait as they are, and never become bytes. */
extern const lxm_formatter_functions lxm_sink_formatter;
lxm_status lxm_formatter_pour(lxm_formatter *formatter, const lxm_id_sink *sink, lxm_error *error);

void lxm_formatter_init(lxm_formatter *formatter, const lxm_stream_options *options,
                        const lxm_allocator *allocator);
void lxm_formatter_free(lxm_formatter *formatter);

/* Takes what another formatter made of the documents, or the part of one, that come next into the
 * account. Both are flushed; next->out, which stays as it is, belongs behind formatter->out. */
lxm_status lxm_formatter_lead(lxm_formatter *formatter, lxm_formatter *next, lxm_error *error);

/* LXM_OK, or LXM_ERROR_MEMORY where something that only memory can fail wasn't good. */
lxm_status lxm_format_status(bool good, lxm_error *error);

/* Copies the text of tokens, one behind the other, to where there is room for lxm_copy_slack more
 * than the `bytes` that they have. */
enum { lxm_copy_slack = 32 };
void lxm_copy_tokens(uint8_t *text, const lxm_tokens *tokens, size_t from, size_t count,
                     size_t bytes);

/* Decimal digits of a number; returns the end. `text` holds 20. */
uint8_t *lxm_format_number(uint8_t *text, uint64_t number);

#endif
