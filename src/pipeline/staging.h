/*
 * A folder of shards while it is being filled. Shards are written in a folder within the folder and
 * move up when all is well, the manifest last: a folder with a manifest is whole. A journal there
 * tells a run that resumes what is done, and its lock that another one is at work.
 */
#ifndef LXM_PIPELINE_STAGING_H
#define LXM_PIPELINE_STAGING_H

#include "pipeline/journal.h"

typedef struct lxm_staging_options {
    const char *folder;         /* outlives the staging */
    const char *stem;           /* shards are STEM-00000 and an ending */
    const char *const *endings; /* those of the files of a shard, up to NULL; at most two */
    uint64_t capacity;          /* a shard with less is the last */
    uint64_t identity;          /* a hash of all that the bytes depend on but the inputs */
    bool resume, replace;       /* as in lxm_embed_options */
    const char *file_hint;      /* behind the message that the folder is a file, or NULL */
} lxm_staging_options;

typedef struct lxm_staging {
    lxm_staging_options options;
    lxm_allocator allocator;
    char *path; /* of the folder within; NULL: this run has none */
    bool made_folder;
    bool found;   /* the folder within is that of a run before */
    size_t moved; /* files that are in their place */
    bool committed;
    lxm_buffer list; /* of lxm_shard, those that are done */
    lxm_journal journal;
    size_t old;      /* shards that a run before has done, of which those in the list were met */
    bool finished;   /* a run before has done it all, */
    uint64_t inputs; /* and this is the hash of its inputs */
} lxm_staging;

/* Begins. lxm_staging_close is due whatever the result, and allowed for one that is zeroed. */
lxm_status lxm_staging_open(lxm_staging *staging, const lxm_staging_options *options,
                            const lxm_allocator *allocator, lxm_error *error);

size_t lxm_staging_count(const lxm_staging *staging);
const lxm_shard *lxm_staging_at(const lxm_staging *staging, size_t index);

/* Where a file of the next shard is written; NULL where memory runs out. The caller's to release
 * with the staging's allocator. */
char *lxm_staging_file(const lxm_staging *staging, const char *ending);

/* What a run before has done as the next shard, or NULL. */
const lxm_journal_entry *lxm_staging_next(const lxm_staging *staging);

/* The next shard is done: it was written, or its inputs were met again. `inputs` is a hash of all
 * inputs up to its end; where a run before had others that is LXM_ERROR_MISMATCH. */
lxm_status lxm_staging_add(lxm_staging *staging, const lxm_shard *shard, uint64_t inputs,
                           lxm_error *error);

/* To be asked before a shard is begun that isn't the first: whether a run before ended here. */
lxm_status lxm_staging_may_go_on(const lxm_staging *staging, lxm_error *error);

/* Puts all in its place, with a manifest of that text. */
lxm_status lxm_staging_commit(lxm_staging *staging, const lxm_buffer *manifest, uint64_t inputs,
                              lxm_error *error);

/* Removes what isn't in its place yet, unless another run is to go on with it. */
void lxm_staging_close(lxm_staging *staging);

#endif
