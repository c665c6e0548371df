/*
 * Writing past the page cache: a large file goes to disk without a copy in memory, several blocks
 * at once.
 */
#ifndef LXM_BASE_DIRECT_H
#define LXM_BASE_DIRECT_H

#include "base/memory.h"

typedef struct lxm_direct lxm_direct;

enum { lxm_direct_alignment = 4096 };

/* Goes on at `offset`, a multiple of lxm_direct_alignment. NULL where the file system, the memory
 * or the threads don't allow it: nothing has changed then. */
lxm_direct *lxm_direct_new(int fd, uint64_t offset, const lxm_allocator *allocator);

/* Errors may be those of earlier writes. */
lxm_status lxm_direct_write(lxm_direct *direct, const void *bytes, size_t length, lxm_error *error);

/* Waits for all and writes what fills no block; the file is an ordinary one again. */
lxm_status lxm_direct_finish(lxm_direct *direct, lxm_error *error);

/* Waits for what is under way. NULL is allowed. */
void lxm_direct_free(lxm_direct *direct);

#endif
