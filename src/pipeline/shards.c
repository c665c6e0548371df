#include "pipeline/shards.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "embed/dtype.h"
#include "embed/pooling.h"
#include "embed/table.h"
#include "pipeline/staging.h"

enum { most_ids_held = 1 << 20 };

static const char *const endings[] = {".safetensors", NULL};

struct lxm_shards {
    lxm_allocator allocator;
    const lxm_embed_options *options;
    lxm_vectors_shape shape;
    size_t batch;
    uint64_t capacity; /* rows (windows) a shard */
    lxm_staging staging;
    uint64_t identity;  /* of what is done, for the journal and the manifest */
    lxm_output *output; /* of the shard that is being written, */
    char *path;         /* and its name, which the output uses */
    lxm_vectors vectors;
    lxm_hasher hasher;
    uint64_t met;    /* places of the next shard, which a run before has done */
    uint64_t inputs; /* a hash of all so far */
};

static size_t context_of(const lxm_shards *shards)
{
    return shards->shape.context ? shards->shape.context : 1;
}

/* Some rows stand for the others. */
static void hash_table(const lxm_table *table, float *row, uint64_t *hash)
{
    uint64_t rows = lxm_table_rows(table) < UINT32_MAX ? lxm_table_rows(table) : UINT32_MAX;
    for (uint64_t i = 0; i < rows; i += rows / 8 + 1) {
        lxm_table_row(table, i, row);
        *hash = lxm_hash(row, lxm_table_dim(table) * sizeof *row, *hash);
    }
}

/* What must be the same for a run to go on: all that the bytes depend on but the ids. */
static lxm_status identify(lxm_shards *shards, lxm_error *error)
{
    const lxm_table *table = shards->options->table;
    uint64_t numbers[] = {shards->batch,
                          shards->capacity,
                          shards->shape.dim,
                          shards->shape.context,
                          shards->shape.dtype,
                          shards->shape.ids_only,
                          shards->shape.targets,
                          shards->shape.mask,
                          shards->shape.documents,
                          shards->options->drop_last,
                          shards->shape.fingerprint,
                          lxm_table_rows(table)};
    const char *settings = shards->shape.settings ? shards->shape.settings : "";
    uint64_t hash = lxm_hash(settings, strlen(settings), lxm_hash(numbers, sizeof numbers, 0));
    size_t dim = lxm_table_dim(table);
    float *row = lxm_allocate(&shards->allocator, dim, sizeof *row);
    if (!row)
        return lxm_fail_memory(error);
    hash_table(table, row, &hash);
    if (shards->options->positions)
        hash_table(shards->options->positions, row, &hash);
    lxm_release(&shards->allocator, row);
    shards->identity = lxm_pool_options_hash(&shards->options->pool, hash);
    return LXM_OK;
}

/* Whole batches, as many as the size lets in, but one at least. */
static lxm_status plan_capacity(lxm_shards *shards, lxm_error *error)
{
    uint64_t size = shards->options->shard_size ? shards->options->shard_size : (uint64_t)1 << 30;
    size_t bytes = sizeof(uint32_t);
    if (!shards->shape.ids_only &&
        !lxm_multiply(shards->shape.dim, lxm_dtype_size(shards->shape.dtype), &bytes))
        bytes = SIZE_MAX;
    if (!lxm_multiply(context_of(shards), bytes, &bytes) ||
        !lxm_multiply(bytes, shards->batch, &bytes) || bytes > INT64_MAX / 2)
        return lxm_fail(error, LXM_ERROR_LIMIT, "a batch is too large for a shard");
    shards->capacity = (size > bytes ? size / bytes : 1) * shards->batch;
    return LXM_OK;
}

static lxm_status open_staging(lxm_shards *shards, const char *folder, lxm_error *error)
{
    lxm_staging_options options = {
        .folder = folder,
        .stem = "shard",
        .endings = endings,
        .capacity = shards->capacity,
        .identity = shards->identity,
        .resume = shards->options->resume,
        .replace = shards->options->replace,
        .file_hint = " (a file's name ends in .npy, .safetensors or .txt, or -f says its format)",
    };
    return lxm_staging_open(&shards->staging, &options, &shards->allocator, error);
}

lxm_status lxm_shards_new(lxm_shards **out, const char *folder, const lxm_vectors_shape *shape,
                          const lxm_embed_options *options, size_t batch,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_shards *shards = lxm_new(&a, sizeof *shards);
    if (!shards)
        return lxm_fail_memory(error);
    *shards = (lxm_shards){.allocator = a, .options = options, .shape = *shape, .batch = batch};
    lxm_status status = plan_capacity(shards, error);
    if (!status)
        status = identify(shards, error);
    if (!status && !lxm_hasher_init(&shards->hasher, &a))
        status = lxm_fail_memory(error);
    if (!status)
        status = open_staging(shards, folder, error);
    if (status)
        lxm_shards_free(shards);
    else
        *out = shards;
    return status;
}

uint64_t lxm_shards_capacity(const lxm_shards *shards)
{
    return shards->capacity;
}

size_t lxm_shards_unit(const lxm_shards *shards)
{
    return shards->capacity <= most_ids_held / context_of(shards) ? (size_t)shards->capacity : 0;
}

static lxm_status begin_shard(lxm_shards *shards, uint64_t expected, lxm_error *error)
{
    shards->shape.expected = expected;
    lxm_release(&shards->allocator, shards->path);
    shards->path = lxm_staging_file(&shards->staging, endings[0]);
    if (!shards->path)
        return lxm_fail_memory(error);
    lxm_status status = lxm_output_open(&shards->output, shards->path, &shards->allocator, error);
    shards->vectors = (lxm_vectors){.hash = shards->hasher.state};
    if (!status)
        status = lxm_vectors_begin(&shards->vectors, &lxm_safetensors_vectors, &shards->shape,
                                   shards->output, &shards->allocator, error);
    return status;
}

static lxm_status end_shard(lxm_shards *shards, lxm_error *error)
{
    lxm_status status = lxm_vectors_finish(&shards->vectors, error);
    lxm_shard shard = {.rows = shards->vectors.places / context_of(shards),
                       .bytes = shards->vectors.written,
                       .hash = XXH3_64bits_digest(shards->hasher.state)};
    bool patched = shards->vectors.patched;
    lxm_vectors_free(&shards->vectors);
    if (status)
        return status;
    status = lxm_output_commit(shards->output, error);
    shards->output = NULL;
    if (!status && patched) /* the header changed after it was hashed */
        status = lxm_hash_file(shards->path, &shard.bytes, &shard.hash, &shards->allocator, error);
    return status ? status : lxm_staging_add(&shards->staging, &shard, shards->inputs, error);
}

uint64_t lxm_shards_old_rows(const lxm_shards *shards)
{
    uint64_t rows = 0;
    if (shards->staging.finished)
        return UINT64_MAX / context_of(shards);
    for (size_t i = 0; i < shards->staging.old; i++)
        rows += lxm_journal_at(&shards->staging.journal, i)->shard.rows;
    return rows;
}

/* Rows of a shard that is done already. */
static lxm_status meet(lxm_shards *shards, const lxm_journal_entry *old, uint64_t places,
                       lxm_error *error)
{
    shards->met += places;
    if (shards->met < old->shard.rows * context_of(shards))
        return LXM_OK;
    lxm_shard shard = {.rows = shards->met / context_of(shards)};
    shards->met = 0;
    return lxm_staging_add(&shards->staging, &shard, shards->inputs, error);
}

lxm_status lxm_shards_add(lxm_shards *shards, const lxm_vectors_piece *piece, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (shards->output && shards->vectors.places / context_of(shards) >= shards->capacity)
        status = end_shard(shards, error);
    if (piece->inputs)
        shards->inputs =
            lxm_hash(piece->inputs, piece->count * sizeof *piece->inputs, shards->inputs);
    else
        shards->inputs = lxm_hash(piece->bytes, piece->length, shards->inputs);
    if (piece->targets) /* some are no inputs */
        shards->inputs =
            lxm_hash(piece->targets, piece->count * sizeof *piece->targets, shards->inputs);
    const lxm_journal_entry *old = lxm_staging_next(&shards->staging);
    if (status || shards->staging.finished)
        return status;
    if (old)
        return meet(shards, old, piece->count, error);
    if (!shards->output)
        status = lxm_staging_may_go_on(&shards->staging, error);
    if (!status && !shards->output)
        status =
            begin_shard(shards, lxm_shards_unit(shards) ? piece->batch : shards->capacity, error);
    return status ? status : lxm_vectors_add(&shards->vectors, piece, error);
}

static lxm_status write_manifest(const lxm_shards *shards, const lxm_embed_result *result,
                                 lxm_buffer *text, lxm_error *error)
{
    lxm_manifest manifest = {
        .shards = lxm_staging_at(&shards->staging, 0),
        .count = lxm_staging_count(&shards->staging),
        .shape = &shards->shape,
        .options = shards->options,
        .result = result,
        .batch = shards->batch,
        .identity = shards->identity,
        .inputs = shards->inputs,
    };
    return lxm_manifest_write(&manifest, text, error);
}

lxm_status lxm_shards_commit(lxm_shards *shards, lxm_embed_result *result, lxm_error *error)
{
    lxm_status status = LXM_OK;
    lxm_staging *staging = &shards->staging;
    lxm_buffer text;
    lxm_buffer_init(&text, &shards->allocator);
    if (!staging->finished && !shards->output && !staging->old && lxm_staging_count(staging) == 0)
        status = begin_shard(shards, 0, error); /* one without rows tells readers the shapes */
    if (!status && shards->output)
        status = end_shard(shards, error);
    result->shards = lxm_staging_count(staging);
    if (!status)
        status = write_manifest(shards, result, &text, error);
    if (!status)
        status = lxm_staging_commit(staging, &text, shards->inputs, error);
    lxm_buffer_free(&text);
    return status;
}

void lxm_shards_free(lxm_shards *shards)
{
    if (!shards)
        return;
    lxm_vectors_free(&shards->vectors);
    lxm_output_discard(shards->output);
    lxm_staging_close(&shards->staging);
    lxm_release(&shards->allocator, shards->path);
    lxm_hasher_free(&shards->hasher, &shards->allocator);
    lxm_allocator a = shards->allocator;
    lxm_release(&a, shards);
}
