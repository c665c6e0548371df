/*
 * Mappers for tasks that run side by side. A task takes one and gives it back; the one that was
 * given back last is taken first, so that there are no more than tasks at a time, and warm ones.
 */
#ifndef LXM_PIPELINE_MAPPERS_H
#define LXM_PIPELINE_MAPPERS_H

#include <pthread.h>

#include "base/memory.h"
#include "lexmill/idmap.h"

typedef struct lxm_mappers {
    pthread_mutex_t lock;
    const lxm_vocab *vocab;
    lxm_mapper_options options;
    lxm_allocator allocator;
    lxm_mapper **idle;
    size_t count, most;
} lxm_mappers;

enum { lxm_cache_budget = 48 << 20 };

/* For at most `threads` tasks at a time, which share `cache_size` bytes. Free it only where this
 * succeeded, or where it is zeroed. */
lxm_status lxm_mappers_init(lxm_mappers *mappers, const lxm_vocab *vocab, size_t threads,
                            size_t cache_size, const lxm_allocator *allocator, lxm_error *error);

/* All mappers must have been given back. */
void lxm_mappers_free(lxm_mappers *mappers);

lxm_status lxm_mappers_take(lxm_mappers *mappers, lxm_mapper **mapper, lxm_error *error);
void lxm_mappers_give(lxm_mappers *mappers, lxm_mapper *mapper);

#endif
