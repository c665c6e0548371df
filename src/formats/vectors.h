/*
 * Writing vectors: one lxm_vectors_format a format.
 *
 * Rows come in order, in pieces. How many there are is often known at the end alone: then the
 * header is patched, or the data waits in a temporary file where an output can't be rewound.
 */
#ifndef LXM_FORMATS_VECTORS_H
#define LXM_FORMATS_VECTORS_H

#include "base/file.h"
#include "base/hash.h"
#include "lexmill/embed.h"

/* What is written; the string outlives the writer. */
typedef struct lxm_vectors_shape {
    size_t context; /* 0: rows alone, otherwise windows of so many rows */
    size_t dim;
    lxm_dtype dtype;
    bool ids_only;        /* no vectors: inputs and what goes along; .safetensors alone */
    bool targets, mask;   /* go along with the inputs, where there are windows */
    bool documents;       /* too */
    bool batches;         /* .npy: one array a batch */
    uint64_t expected;    /* rows (windows) to come; LXM_ANY_ROW: unknown */
    uint64_t fingerprint; /* 0: unknown */
    const char *settings;
} lxm_vectors_shape;

/* Some rows in order. */
typedef struct lxm_vectors_piece {
    size_t count;
    const uint32_t *inputs, *targets;
    const uint8_t *mask;
    const int32_t *documents;
    const float *scales; /* of int8: one a row */
    const void *bytes;   /* as the format's `encode` made them, or the numbers themselves */
    size_t length;
    size_t batch; /* where a batch begins here: its rows (windows); otherwise 0 */
} lxm_vectors_piece;

typedef struct lxm_vectors lxm_vectors;

typedef struct lxm_vectors_format {
    const char *name;
    /* Text of some rows, on any thread; NULL: floats are written as they are. False: no memory. */
    bool (*encode)(lxm_buffer *bytes, const float *values, size_t count, size_t dim);
    lxm_status (*begin)(lxm_vectors *vectors, lxm_error *error);
    lxm_status (*piece)(lxm_vectors *vectors, const lxm_vectors_piece *piece, lxm_error *error);
    /* Writes what is left; `rows` (windows) came in all. */
    lxm_status (*finish)(lxm_vectors *vectors, uint64_t rows, lxm_error *error);
} lxm_vectors_format;

struct lxm_vectors {
    const lxm_vectors_format *format;
    lxm_vectors_shape shape;
    lxm_output *output;
    uint64_t places;  /* rows, or windows x context, so far */
    uint64_t written; /* bytes so far */
    size_t header;    /* bytes that the header takes */
    lxm_spool body, scales, inputs, targets, mask, documents;

    /* XXH3-64 of all that was written; wrong once something was patched */
    XXH3_state_t *hash; /* NULL: not wanted */
    bool patched;
};

extern const lxm_vectors_format lxm_text_vectors, lxm_npy_vectors, lxm_safetensors_vectors;

/* Begins on an output of the caller's, who may set `hash` before. lxm_vectors_free is due whatever
 * the result. */
lxm_status lxm_vectors_begin(lxm_vectors *vectors, const lxm_vectors_format *format,
                             const lxm_vectors_shape *shape, lxm_output *output,
                             const lxm_allocator *allocator, lxm_error *error);
lxm_status lxm_vectors_add(lxm_vectors *vectors, const lxm_vectors_piece *piece, lxm_error *error);
lxm_status lxm_vectors_finish(lxm_vectors *vectors, lxm_error *error);
void lxm_vectors_free(lxm_vectors *vectors);

/* For formats: writes, or overwrites the header. */
lxm_status lxm_vectors_put(lxm_vectors *vectors, const void *bytes, size_t length,
                           lxm_error *error);
lxm_status lxm_vectors_patch(lxm_vectors *vectors, const void *bytes, size_t length,
                             lxm_error *error);

/* Writes the shortest decimal that reads back as the same float: at most lxm_float_size bytes
 * and no NUL; returns how many. */
enum { lxm_float_size = 16 };
size_t lxm_float_text(float value, char *text);

#endif
