/*
 * Windows in another order: they wait in an unnamed file, as much as their ids, targets, mask and
 * documents take, and are read back one by one.
 */
#ifndef LXM_PIPELINE_SHUFFLE_H
#define LXM_PIPELINE_SHUFFLE_H

#include "base/file.h"
#include "lexmill/pipeline.h"

typedef struct lxm_shuffler {
    lxm_allocator allocator;
    const lxm_embed_options *options;
    lxm_spool spool;
    size_t record; /* bytes a window */
    uint64_t count;
} lxm_shuffler;

/* lxm_shuffler_free is due whatever comes after. */
lxm_status lxm_shuffler_init(lxm_shuffler *shuffler, const lxm_embed_options *options,
                             const lxm_allocator *allocator, lxm_error *error);
void lxm_shuffler_free(lxm_shuffler *shuffler);

/* Takes windows: a lxm_window_sink. */
lxm_status lxm_shuffler_add(void *shuffler, const lxm_window_batch *batch, lxm_error *error);

/* Hands all out in their order, `batch` at a time, the last maybe fewer. */
lxm_status lxm_shuffler_drain(lxm_shuffler *shuffler, size_t batch, const lxm_window_sink *sink,
                              lxm_error *error);

#endif
