/*
 * What a run that writes shards has done so far, a line a shard, so that another run can go on
 * where it was killed. It lies beside the shards until they are all in their place.
 */
#ifndef LXM_PIPELINE_JOURNAL_H
#define LXM_PIPELINE_JOURNAL_H

#include "base/memory.h"
#include "pipeline/manifest.h"

typedef struct lxm_journal_entry {
    lxm_shard shard;
    uint64_t inputs; /* a hash of all inputs up to its end: a run that goes on must read the same */
} lxm_journal_entry;

typedef struct lxm_journal {
    int fd;           /* -1: none */
    lxm_buffer lines; /* of lxm_journal_entry */
} lxm_journal;

void lxm_journal_init(lxm_journal *journal, const lxm_allocator *allocator);

/* Closes it; the file stays. */
void lxm_journal_close(lxm_journal *journal);

/* Opens or makes a journal, which no other process may hold: that is LXM_ERROR_IO. */
lxm_status lxm_journal_lock(lxm_journal *journal, const char *path, lxm_error *error);

/* Reads what it holds. `identity` says what the run does: a journal of another one is
 * LXM_ERROR_MISMATCH. */
lxm_status lxm_journal_read(lxm_journal *journal, uint64_t identity, lxm_error *error);

size_t lxm_journal_count(const lxm_journal *journal);
const lxm_journal_entry *lxm_journal_at(const lxm_journal *journal, size_t index);

/* Forgets all from entry `count` on. */
lxm_status lxm_journal_cut(lxm_journal *journal, uint64_t identity, size_t count, lxm_error *error);

/* Adds a line, which is on the disk then. */
lxm_status lxm_journal_add(lxm_journal *journal, const lxm_journal_entry *entry, lxm_error *error);

#endif
