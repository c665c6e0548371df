#define _GNU_SOURCE
#include "pipeline/shards.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "embed/dtype.h"
#include "embed/pooling.h"
#include "embed/table.h"
#include "pipeline/journal.h"
#include "pipeline/manifest.h"

static const char staging_name[] = ".incomplete", journal_name[] = "journal";

enum { name_size = 48, state_alignment = 64, most_ids_held = 1 << 20 };

struct lxm_shards {
    lxm_allocator allocator;
    const lxm_embed_options *options;
    lxm_vectors_shape shape;
    size_t batch;
    uint64_t capacity; /* rows (windows) a shard */

    const char *folder;
    char *staging; /* within the folder; NULL: not made yet */
    bool made_folder;
    bool found;   /* the staging folder of a run before */
    size_t moved; /* shards that are in their place */
    bool committed;

    lxm_output *output; /* of the shard that is being written, */
    char *path;         /* and its name, which the output uses */
    lxm_vectors vectors;
    void *hash_memory;
    XXH3_state_t *hash;
    lxm_buffer list; /* of lxm_shard, those that are done */

    lxm_journal journal;
    uint64_t identity; /* of what is done, for the journal and the manifest */
    bool finished;     /* a run before has done it all */
    uint64_t rows;     /* then: how many */
    size_t old;        /* shards that a run before has done, of which those in the list were met */
    uint64_t met;      /* places of the next one that were met */
    uint64_t ids;      /* a hash of the inputs of this shard so far */
};

static size_t shard_count(const lxm_shards *shards)
{
    return shards->list.length / sizeof(lxm_shard);
}

static size_t context_of(const lxm_shards *shards)
{
    return shards->shape.context ? shards->shape.context : 1;
}

static void shard_name(char *name, uint64_t index)
{
    snprintf(name, name_size, "shard-%05" PRIu64 ".safetensors", index);
}

/* FOLDER/NAME; NULL where memory runs out. */
static char *join(const lxm_shards *shards, const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = lxm_allocate(&shards->allocator, size, 1);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static bool is_shard(const char *name, uint64_t *index)
{
    char again[name_size];
    return sscanf(name, "shard-%" SCNu64 ".safetensors", index) == 1 &&
           (shard_name(again, *index), strcmp(name, again) == 0);
}

typedef bool is_wanted(const char *name, uint64_t first);

static bool is_shard_from(const char *name, uint64_t first)
{
    uint64_t index;
    return is_shard(name, &index) && index >= first;
}

static bool is_any(const char *name, uint64_t unused)
{
    (void)unused;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* A manifest that a kill kept from its place. */
static bool is_litter(const char *name, uint64_t unused)
{
    static const char prefix[] = ".manifest.json.";
    (void)unused;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 && strlen(name) == sizeof prefix - 1 + 8;
}

static lxm_status remove_files(const char *folder, is_wanted *wanted, uint64_t first,
                               lxm_error *error)
{
    DIR *listing = opendir(folder);
    if (!listing)
        return lxm_fail_io(error, errno, "can't list the folder");
    lxm_status status = LXM_OK;
    for (struct dirent *entry; (entry = readdir(listing));)
        if (wanted(entry->d_name, first) && unlinkat(dirfd(listing), entry->d_name, 0))
            status = lxm_fail_io(error, errno, "can't remove an old file of the folder");
    closedir(listing);
    return status;
}

/* Whether something of that name is in the folder. */
static lxm_status refuse_old(const lxm_shards *shards, const char *name, lxm_error *error)
{
    struct stat status;
    char *path = join(shards, shards->folder, name);
    if (!path)
        return lxm_fail_memory(error);
    int failed = lstat(path, &status) ? errno : 0;
    lxm_release(&shards->allocator, path);
    if (failed == ENOENT)
        return LXM_OK;
    if (failed)
        return lxm_fail_io(error, failed, "can't write");
    return lxm_fail(error, LXM_ERROR_IO,
                    "the folder holds shards already: name another, or --force to replace them");
}

static bool has_staging(const lxm_shards *shards)
{
    struct stat status;
    char *path = join(shards, shards->folder, staging_name);
    bool there = path && lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
    lxm_release(&shards->allocator, path);
    return there;
}

static lxm_status enter_folder(lxm_shards *shards, lxm_error *error)
{
    struct stat old;
    char first[name_size];
    if (mkdir(shards->folder, 0777) == 0) {
        shards->made_folder = true;
        return LXM_OK;
    }
    if (errno != EEXIST)
        return lxm_fail_io(error, errno, "can't make the folder");
    if (stat(shards->folder, &old))
        return lxm_fail_io(error, errno, "can't write");
    if (!S_ISDIR(old.st_mode))
        return lxm_fail(error, LXM_ERROR_IO,
                        "shards need a folder (a file's name ends in .npy, .safetensors or "
                        ".txt, or -f says its format)");
    if (shards->options->replace)
        return LXM_OK;
    shard_name(first, 0);
    if (shards->options->resume)
        shards->finished =
            lxm_manifest_is_of(shards->folder, shards->identity, &shards->rows, &shards->allocator);
    if (shards->finished)
        return LXM_OK;
    lxm_status status = refuse_old(shards, "manifest.json", error);
    if (status || (shards->options->resume && has_staging(shards)))
        return status;
    return refuse_old(shards, first, error);
}

/* What must be the same for a run to go on: all that the bytes depend on but the ids. Of a table
 * that has no fingerprint some rows stand for the others. */
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
    uint64_t rows = lxm_table_rows(table) < UINT32_MAX ? lxm_table_rows(table) : UINT32_MAX;
    for (uint64_t i = 0; i < rows; i += rows / 8 + 1) {
        lxm_table_row(table, i, row);
        hash = lxm_hash(row, dim * sizeof *row, hash);
    }
    lxm_release(&shards->allocator, row);
    shards->identity = lxm_pool_options_hash(&shards->options->pool, hash);
    return LXM_OK;
}

static bool has_file(const lxm_shards *shards, const char *folder, const char *name, uint64_t bytes)
{
    struct stat status;
    char *path = join(shards, folder, name);
    bool there = path && lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                 (bytes == UINT64_MAX || (uint64_t)status.st_size == bytes);
    lxm_release(&shards->allocator, path);
    return there;
}

/* Counts the shards that a run before has done and that are still there; it may have been killed
 * while it put them in their place. */
static size_t count_old(const lxm_shards *shards)
{
    bool moving = !has_file(shards, shards->folder, "manifest.json", UINT64_MAX);
    size_t count = 0;
    for (; count < lxm_journal_count(&shards->journal); count++) {
        char name[name_size];
        const lxm_journal_entry *entry = lxm_journal_at(&shards->journal, count);
        shard_name(name, count);
        if (!has_file(shards, shards->staging, name, entry->shard.bytes) &&
            !(moving && has_file(shards, shards->folder, name, entry->shard.bytes)))
            break;
    }
    return count;
}

static lxm_status open_journal(lxm_shards *shards, lxm_error *error)
{
    char *path = join(shards, shards->staging, journal_name);
    lxm_status status = path ? lxm_journal_open(&shards->journal, path, shards->identity, error)
                             : lxm_fail_memory(error);
    lxm_release(&shards->allocator, path);
    if (status)
        return status;
    shards->old = count_old(shards);
    if (shards->old < lxm_journal_count(&shards->journal))
        status = lxm_journal_cut(&shards->journal, shards->identity, shards->old, error);
    return status;
}

static lxm_status make_staging(lxm_shards *shards, lxm_error *error)
{
    struct stat old;
    char *path = join(shards, shards->folder, staging_name);
    if (!path)
        return lxm_fail_memory(error);
    bool made = mkdir(path, 0777) == 0;
    int failed = made ? 0 : errno;
    if (failed == EEXIST && lstat(path, &old) == 0 && S_ISDIR(old.st_mode) &&
        (shards->options->resume || shards->options->replace))
        failed = 0;
    if (!failed && !made && !shards->options->resume)
        (void)remove_files(path, is_any, 0, NULL);
    if (!failed && !made)
        (void)remove_files(shards->folder, is_litter, 0, NULL);
    if (failed) {
        lxm_release(&shards->allocator, path);
        if (failed != EEXIST)
            return lxm_fail_io(error, failed, "can't make a folder in it");
        return lxm_fail(error, LXM_ERROR_IO,
                        "the folder holds a run that was stopped: --resume goes on with it, "
                        "--force begins anew");
    }
    shards->staging = path;
    shards->found = !made && shards->options->resume;
    return open_journal(shards, error);
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

lxm_status lxm_shards_new(lxm_shards **out, const char *folder, const lxm_vectors_shape *shape,
                          const lxm_embed_options *options, size_t batch,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_shards *shards = lxm_new(&a, sizeof *shards);
    if (!shards)
        return lxm_fail_memory(error);
    *shards = (lxm_shards){
        .allocator = a, .options = options, .shape = *shape, .batch = batch, .folder = folder};
    lxm_buffer_init(&shards->list, &a);
    lxm_journal_init(&shards->journal, &a);
    lxm_status status = plan_capacity(shards, error);
    if (!status)
        status = identify(shards, error);
    if (!status) {
        shards->hash_memory = lxm_allocate(&a, sizeof(XXH3_state_t) + state_alignment, 1);
        uintptr_t aligned = (uintptr_t)shards->hash_memory + state_alignment - 1;
        shards->hash = (XXH3_state_t *)(aligned / state_alignment * state_alignment);
        status = shards->hash_memory ? LXM_OK : lxm_fail_memory(error);
    }
    if (!status)
        status = enter_folder(shards, error);
    if (!status && !shards->finished)
        status = make_staging(shards, error);
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

static char *staged(const lxm_shards *shards, uint64_t index)
{
    char name[name_size];
    shard_name(name, index);
    return join(shards, shards->staging, name);
}

static lxm_status begin_shard(lxm_shards *shards, uint64_t expected, lxm_error *error)
{
    shards->shape.expected = expected;
    lxm_release(&shards->allocator, shards->path);
    shards->path = staged(shards, shard_count(shards));
    if (!shards->path)
        return lxm_fail_memory(error);
    lxm_status status = lxm_output_open(&shards->output, shards->path, &shards->allocator, error);
    shards->vectors = (lxm_vectors){.hash = shards->hash};
    if (!status)
        status = lxm_vectors_begin(&shards->vectors, &lxm_safetensors_vectors, &shards->shape,
                                   shards->output, &shards->allocator, error);
    return status;
}

/* The hash of a file whose header changed after it was hashed. */
static lxm_status hash_again(const char *path, uint64_t *hash, lxm_error *error)
{
    lxm_map map;
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    *hash = lxm_hash(map.data, map.length, 0);
    lxm_map_close(&map);
    return LXM_OK;
}

static lxm_status end_shard(lxm_shards *shards, lxm_error *error)
{
    lxm_status status = lxm_vectors_finish(&shards->vectors, error);
    lxm_shard shard = {shards->vectors.places / context_of(shards), shards->vectors.written,
                       XXH3_64bits_digest(shards->hash)};
    bool patched = shards->vectors.patched;
    lxm_vectors_free(&shards->vectors);
    if (status)
        return status;
    status = lxm_output_commit(shards->output, error);
    shards->output = NULL;
    if (!status && patched)
        status = hash_again(shards->path, &shard.hash, error);
    if (!status && !lxm_buffer_append(&shards->list, &shard, sizeof shard))
        status = lxm_fail_memory(error);
    if (!status && shard.rows)
        status = lxm_journal_add(&shards->journal, &(lxm_journal_entry){shard, shards->ids}, error);
    shards->ids = 0;
    return status;
}

uint64_t lxm_shards_old_rows(const lxm_shards *shards)
{
    uint64_t rows = 0;
    if (shards->finished)
        return UINT64_MAX / context_of(shards);
    for (size_t i = 0; i < shards->old; i++)
        rows += lxm_journal_at(&shards->journal, i)->shard.rows;
    return rows;
}

static lxm_status fail_ids(lxm_error *error)
{
    return lxm_fail(error, LXM_ERROR_MISMATCH,
                    "the ids are not those of the run that was stopped: give the same, or --force "
                    "to begin anew");
}

/* Rows of a shard that is done already. */
static lxm_status meet(lxm_shards *shards, const lxm_vectors_piece *piece, lxm_error *error)
{
    const lxm_journal_entry *entry = lxm_journal_at(&shards->journal, shard_count(shards));
    shards->met += piece->count;
    if (shards->met < entry->shard.rows * context_of(shards))
        return LXM_OK;
    if (shards->met > entry->shard.rows * context_of(shards) || shards->ids != entry->ids)
        return fail_ids(error);
    shards->met = 0;
    shards->ids = 0;
    return lxm_buffer_append(&shards->list, &entry->shard, sizeof entry->shard)
               ? LXM_OK
               : lxm_fail_memory(error);
}

/* A last shard that wasn't full had nothing behind it. */
static bool goes_on_wrongly(const lxm_shards *shards)
{
    size_t count = shard_count(shards);
    return count > 0 && count == shards->old && !shards->output &&
           lxm_journal_at(&shards->journal, count - 1)->shard.rows < shards->capacity;
}

lxm_status lxm_shards_add(lxm_shards *shards, const lxm_vectors_piece *piece, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (shards->finished)
        return LXM_OK;
    if (shards->output && shards->vectors.places / context_of(shards) >= shards->capacity)
        status = end_shard(shards, error);
    if (piece->inputs)
        shards->ids = lxm_hash(piece->inputs, piece->count * sizeof *piece->inputs, shards->ids);
    else
        shards->ids = lxm_hash(piece->bytes, piece->length, shards->ids);
    if (status || shard_count(shards) < shards->old)
        return status ? status : meet(shards, piece, error);
    if (goes_on_wrongly(shards))
        return fail_ids(error);
    if (!shards->output)
        status =
            begin_shard(shards, lxm_shards_unit(shards) ? piece->batch : shards->capacity, error);
    return status ? status : lxm_vectors_add(&shards->vectors, piece, error);
}

/* Moves a shard up from the staging folder. */
static lxm_status move_shard(lxm_shards *shards, uint64_t index, lxm_error *error)
{
    char name[name_size];
    shard_name(name, index);
    char *from = join(shards, shards->staging, name), *to = join(shards, shards->folder, name);
    lxm_status status = LXM_OK;
    if (!from || !to)
        status = lxm_fail_memory(error);
    else if (rename(from, to) && (errno != ENOENT || index >= shards->old))
        status = lxm_fail_io(error, errno, "can't rename a shard");
    else
        shards->moved = (size_t)index + 1;
    lxm_release(&shards->allocator, from);
    lxm_release(&shards->allocator, to);
    return status;
}

static lxm_status write_manifest(lxm_shards *shards, const lxm_embed_result *result,
                                 lxm_output *output, lxm_error *error)
{
    lxm_manifest manifest = {
        .shards = (const lxm_shard *)(const void *)shards->list.data,
        .count = shard_count(shards),
        .shape = &shards->shape,
        .options = shards->options,
        .result = result,
        .batch = shards->batch,
        .identity = shards->identity,
    };
    lxm_status status = lxm_manifest_write(&manifest, output, &shards->allocator, error);
    return status ? status : lxm_output_flush(output, error);
}

/* From here on a folder without a manifest is one that isn't whole. */
static lxm_status move_all(lxm_shards *shards, const char *manifest, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (unlink(manifest) && errno != ENOENT)
        status = lxm_fail_io(error, errno, "can't remove the old manifest");
    for (size_t i = 0; !status && i < shard_count(shards); i++)
        status = move_shard(shards, i, error);
    if (!status && shards->options->replace)
        status = remove_files(shards->folder, is_shard_from, shard_count(shards), error);
    return status;
}

/* All is there, but perhaps the staging folder of a run that was killed at its very end. */
static lxm_status finish_again(lxm_shards *shards)
{
    char *staging = join(shards, shards->folder, staging_name);
    if (staging && has_staging(shards)) {
        (void)remove_files(staging, is_any, 0, NULL);
        (void)remove_files(shards->folder, is_litter, 0, NULL);
        rmdir(staging);
    }
    lxm_release(&shards->allocator, staging);
    return LXM_OK;
}

lxm_status lxm_shards_commit(lxm_shards *shards, lxm_embed_result *result, lxm_error *error)
{
    lxm_status status = LXM_OK;
    lxm_output *output = NULL;
    if (shard_count(shards) < shards->old || (shards->finished && result->rows != shards->rows))
        return fail_ids(error);
    if (shards->finished)
        return finish_again(shards);
    if (!shards->output && shard_count(shards) == 0)
        status = begin_shard(shards, 0, error); /* one without rows tells readers the shapes */
    if (!status && shards->output)
        status = end_shard(shards, error);
    result->shards = shard_count(shards);
    char *path = join(shards, shards->folder, "manifest.json");
    if (!status && !path)
        status = lxm_fail_memory(error);
    if (!status)
        status = lxm_output_open(&output, path, &shards->allocator, error);
    if (!status)
        status = write_manifest(shards, result, output, error);
    if (!status)
        status = move_all(shards, path, error);
    if (!status) {
        status = lxm_output_commit(output, error); /* syncs the folder with it */
        output = NULL;
    }
    lxm_output_discard(output);
    lxm_release(&shards->allocator, path);
    if (!status) {
        shards->moved = 0;
        shards->made_folder = false;
        shards->committed = true;
    }
    return status;
}

/* Removes the first shards of a folder and a file beside them (or NULL), without any memory. */
static void take_back(const char *folder, size_t count, const char *other)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        char name[name_size];
        shard_name(name, i);
        unlinkat(fd, name, 0);
    }
    if (other)
        unlinkat(fd, other, 0);
    close(fd);
}

/* Takes back what was moved, and the staging folder, unless another run may go on with them. */
static void clean_up(lxm_shards *shards)
{
    if (!shards->committed && shards->options->resume && (shard_count(shards) || shards->found))
        return;
    if (shards->moved)
        take_back(shards->folder, shards->moved, NULL);
    if (shards->staging) {
        take_back(shards->staging, shard_count(shards) + 1, journal_name);
        (void)remove_files(shards->staging, is_any, 0, NULL);
        rmdir(shards->staging);
    }
    if (shards->made_folder)
        rmdir(shards->folder);
}

void lxm_shards_free(lxm_shards *shards)
{
    if (!shards)
        return;
    lxm_vectors_free(&shards->vectors);
    lxm_output_discard(shards->output);
    clean_up(shards);
    lxm_journal_close(&shards->journal);
    lxm_release(&shards->allocator, shards->path);
    lxm_release(&shards->allocator, shards->staging);
    lxm_release(&shards->allocator, shards->hash_memory);
    lxm_buffer_free(&shards->list);
    lxm_allocator a = shards->allocator;
    lxm_release(&a, shards);
}
