/*
 * Rows on their way to a sink: collected into pieces, projected on any thread, written in order.
 *
 * A piece has so many rows that its floats stay in a processor's cache, whatever the batch is.
 */
#ifndef LXM_PIPELINE_EMBED_PIECES_H
#define LXM_PIPELINE_EMBED_PIECES_H

#include "pipeline/vector_sink.h"

typedef struct lxm_pieces lxm_pieces;

/* `context` is at least 1; `batch`: rows (windows) that no piece reaches beyond. */
lxm_status lxm_pieces_new(lxm_pieces **pieces, const lxm_embed_options *options, size_t context,
                          size_t batch, lxm_vector_sink *sink, const lxm_job *job,
                          lxm_error *error);
void lxm_pieces_free(lxm_pieces *pieces);

/* Rows that a piece holds. */
size_t lxm_pieces_capacity(const lxm_pieces *pieces);

/* Adds windows; one that begins a batch says that `batch->count` windows are in it. */
lxm_status lxm_pieces_add(lxm_pieces *pieces, const lxm_window_batch *batch, lxm_error *error);

/* Waits for all and writes them. */
lxm_status lxm_pieces_finish(lxm_pieces *pieces, lxm_error *error);

/* Rows so far that hold a number that isn't finite. */
uint64_t lxm_pieces_not_finite(const lxm_pieces *pieces);

#endif
