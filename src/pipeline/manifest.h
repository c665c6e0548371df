/* manifest.json: what a folder of shards holds. */
#ifndef LXM_PIPELINE_MANIFEST_H
#define LXM_PIPELINE_MANIFEST_H

#include "formats/vectors.h"
#include "lexmill/pipeline.h"

typedef struct lxm_shard {
    uint64_t rows; /* or windows */
    uint64_t bytes;
    uint64_t hash; /* XXH3-64 of the whole file */
} lxm_shard;

typedef struct lxm_manifest {
    const lxm_shard *shards;
    size_t count;
    const lxm_vectors_shape *shape;
    const lxm_embed_options *options;
    const lxm_embed_result *result;
    size_t batch;
    uint64_t identity; /* a hash of all that the bytes depend on but the ids */
} lxm_manifest;

/* Whether a folder has a manifest of that identity; its rows. */
bool lxm_manifest_is_of(const char *folder, uint64_t identity, uint64_t *rows,
                        const lxm_allocator *allocator);

lxm_status lxm_manifest_write(const lxm_manifest *manifest, lxm_output *output,
                              const lxm_allocator *allocator, lxm_error *error);

#endif
