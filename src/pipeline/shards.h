/*
 * A folder of shards: safetensors files of a whole number of batches, and manifest.json.
 *
 * Shards are written in a folder within the folder and move up when all is well, the manifest last:
 * a folder with a manifest is whole. A journal there tells a run that resumes what is done.
 */
#ifndef LXM_PIPELINE_SHARDS_H
#define LXM_PIPELINE_SHARDS_H

#include "formats/vectors.h"
#include "lexmill/pipeline.h"

typedef struct lxm_shards lxm_shards;

/* Begins; the options and the path outlive the shards. */
lxm_status lxm_shards_new(lxm_shards **shards, const char *folder, const lxm_vectors_shape *shape,
                          const lxm_embed_options *options, size_t batch,
                          const lxm_allocator *allocator, lxm_error *error);
/* Rows (windows) that a shard holds, where they are to be handed on in batches of so many, so that
 * a shard knows its size when it begins; 0: a shard has too many ids for that. */
size_t lxm_shards_unit(const lxm_shards *shards);

/* Rows (windows) that a shard holds. What is added never reaches from one into the next. */
uint64_t lxm_shards_capacity(const lxm_shards *shards);

/* Rows (windows) at the start that a run before has done: they are added as the others, so that
 * their ids can be compared, but their vectors aren't looked at. */
uint64_t lxm_shards_old_rows(const lxm_shards *shards);

lxm_status lxm_shards_add(lxm_shards *shards, const lxm_vectors_piece *piece, lxm_error *error);

/* Puts all in its place. Only what was counted is read from `result`, and the shards are added. */
lxm_status lxm_shards_commit(lxm_shards *shards, lxm_embed_result *result, lxm_error *error);

/* Removes what isn't in its place yet. NULL is allowed. */
void lxm_shards_free(lxm_shards *shards);

#endif
