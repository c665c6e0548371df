/* manifest.json: what a folder of shards of vectors holds, and what both kinds of folders share. */
#ifndef LXM_PIPELINE_MANIFEST_H
#define LXM_PIPELINE_MANIFEST_H

#include "formats/json.h"
#include "formats/vectors.h"
#include "lexmill/pipeline.h"

enum { lxm_shard_name_size = 48 };

typedef struct lxm_shard {
    uint64_t rows;                    /* or windows, or ids */
    uint64_t documents;               /* of ids: how many, where they are told apart */
    uint64_t bytes, hash;             /* XXH3-64 of the whole file */
    uint64_t index_bytes, index_hash; /* of the second file, where a shard has two */
} lxm_shard;

typedef struct lxm_manifest {
    const lxm_shard *shards;
    size_t count;
    const lxm_vectors_shape *shape;
    const lxm_embed_options *options;
    const lxm_embed_result *result;
    size_t batch;
    uint64_t identity; /* a hash of all that the bytes depend on but the ids */
    uint64_t inputs;   /* a hash of those */
} lxm_manifest;

/* The text of it; `text` is empty and the caller's to free. */
lxm_status lxm_manifest_write(const lxm_manifest *manifest, lxm_buffer *text, lxm_error *error);

/* Whether a folder has a manifest of that identity; the hash of its inputs. LXM_ERROR_FORMAT: it
 * has, but not all the files that it names, or of another size. */
lxm_status lxm_manifest_find(const char *folder, uint64_t identity, bool *found, uint64_t *inputs,
                             const lxm_allocator *allocator, lxm_error *error);

/* Numbers as manifests have them: a hash is 16 hexadecimal digits, and null where a fingerprint is
 * 0. NULL where memory runs out. */
json_t *lxm_manifest_number(uint64_t value);
json_t *lxm_manifest_hash(uint64_t value);
json_t *lxm_manifest_fingerprint(uint64_t value);

/* The hash of a manifest that has no `xxh3` (yet): of compact JSON, members in their order. */
lxm_status lxm_manifest_sum(const json_t *root, uint64_t *hash, const lxm_allocator *allocator,
                            lxm_error *error);

/* The text of a manifest, with that hash; takes its reference. NULL stands for memory that ran out.
 */
lxm_status lxm_manifest_format(json_t *root, lxm_buffer *text, lxm_error *error);

#endif
