/* What a counter is made of, for the building of a vocabulary. */
#ifndef LXM_IDMAP_COUNTER_H
#define LXM_IDMAP_COUNTER_H

#include "idmap/runs.h"

struct lxm_counter {
    lxm_allocator allocator;
    size_t memory;
    char *folder; /* or NULL */
    lxm_token_table table;
    uint64_t base; /* tokens of the tables that are runs now: the first appearance of id 0 */
    lxm_runs runs;
    bool spent;
};

/* Makes the table a run and begins an empty one. */
lxm_status lxm_counter_spill(lxm_counter *counter, lxm_error *error);

#endif
