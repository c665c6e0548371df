/*
 * Threads that run jobs and give them back in the order they were submitted.
 *
 * The caller owns the jobs. Submit up to lxm_pool_window() of them, then take one for each one
 * more submitted. The caller's thread is one of them: it runs jobs while it waits in lxm_pool_take,
 * and with one thread inside lxm_pool_submit.
 */
#ifndef LXM_BASE_POOL_H
#define LXM_BASE_POOL_H

#include "base/memory.h"

typedef struct lxm_pool lxm_pool;

/* `threads` 0: as many as the machine has. `run` is called once for each job, on any of them. */
lxm_status lxm_pool_new(lxm_pool **pool, unsigned threads, void (*run)(void *job),
                        const lxm_allocator *allocator, lxm_error *error);

/* Waits for the jobs that run, drops those that don't. */
void lxm_pool_free(lxm_pool *pool);

/* How many jobs may be under way: 1 with one thread, otherwise twice the threads. */
size_t lxm_pool_window(const lxm_pool *pool);

/* How many jobs may run at the same time. */
size_t lxm_pool_threads(const lxm_pool *pool);
size_t lxm_pool_pending(const lxm_pool *pool);

void lxm_pool_submit(lxm_pool *pool, void *job);

/* Waits for the oldest job, running others, and gives it back; NULL where none is under way. */
void *lxm_pool_take(lxm_pool *pool);

unsigned lxm_processors(void);

#endif
