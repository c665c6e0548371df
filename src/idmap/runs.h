/*
 * Counts that don't fit into memory, as sorted runs in unnamed files. As soon as there are
 * lxm_run_fan_in runs of one level, they are merged into one of the next, so that files, buffers
 * and passes over the data stay few whatever there is to count.
 */
#ifndef LXM_IDMAP_RUNS_H
#define LXM_IDMAP_RUNS_H

#include "idmap/merge.h"

enum { lxm_run_fan_in = 32, lxm_run_levels = 8 };

/* Runs one after another in a file. */
typedef struct lxm_run_level {
    int fd; /* -1: none yet */
    size_t count;
    uint64_t ends[lxm_run_fan_in];
} lxm_run_level;

typedef struct lxm_runs {
    lxm_allocator allocator;
    size_t memory;
    const char *folder;
    lxm_run_level levels[lxm_run_levels];
} lxm_runs;

/* `memory`: what may be used for buffers; `folder`: see lxm_unnamed_file, must outlive the runs. */
void lxm_runs_init(lxm_runs *runs, size_t memory, const char *folder,
                   const lxm_allocator *allocator);
void lxm_runs_free(lxm_runs *runs);
bool lxm_runs_any(const lxm_runs *runs);

/* Writes the tokens of a table as a run; the table is freed, whatever the result. */
lxm_status lxm_runs_add(lxm_runs *runs, lxm_token_table *table, uint64_t base, lxm_error *error);

/* A merge of all runs, to be freed whatever the result. */
lxm_status lxm_runs_merge(const lxm_runs *runs, lxm_merge *merge, lxm_error *error);

#endif
