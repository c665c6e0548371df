/* Id streams into the files of training programs. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "formats/ids.h"
#include "pipeline/job.h"
#include "stream/reader.h"

enum { name_size = 48 };

static const uint64_t default_shard_size = 100000000;

typedef struct id_shard {
    uint64_t tokens, documents, bytes, hash;
} id_shard;

typedef struct run {
    lxm_allocator allocator;
    const lxm_id_shards_options *options;
    const lxm_ids_format *format;
    const lxm_job *job;
    const char *folder;
    bool made_folder;
    unsigned width; /* bytes */
    uint64_t limit, size;
    lxm_ids_file file; /* format NULL: none is open */
    char *path, *name; /* of it, without and with its ending */
    lxm_buffer list;   /* of id_shard: files that are done */
    bool in_document;
    uint64_t fingerprint;
    lxm_id_shards_result result;
} run;

static const lxm_ids_format *find_format(lxm_id_layout layout)
{
    switch (layout) {
    case LXM_IDS_NANOGPT:
        return &lxm_nanogpt_ids;
    case LXM_IDS_LLMC:
        return &lxm_llmc_ids;
    case LXM_IDS_MEGATRON:
        return &lxm_megatron_ids;
    case LXM_IDS_NPY:
        return &lxm_npy_ids;
    case LXM_IDS_SAFETENSORS:
        return &lxm_safetensors_ids;
    }
    return NULL;
}

static size_t shard_count(const run *r)
{
    return r->list.length / sizeof(id_shard);
}

static lxm_status choose_width(run *r, lxm_error *error)
{
    const lxm_id_shards_options *o = r->options;
    unsigned width = o->width;
    if (width != 0 && width != 16 && width != 32)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "ids have 16 or 32 bits, not %u", width);
    if (width == 0 && (r->format->wide || o->vocab_size > r->format->limit16) && r->format->limit32)
        width = 32;
    r->width = width == 32 ? 4 : 2;
    r->limit = width == 32 ? r->format->limit32 : r->format->limit16;
    if (r->limit == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "%s has ids of 16 bits alone", r->format->name);
    if (o->has_eot && o->eot_id >= r->limit)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the end-of-text id %u doesn't fit %u bits",
                        o->eot_id, 8 * r->width);
    return LXM_OK;
}

static lxm_status begin(run *r, lxm_error *error)
{
    r->format = find_format(r->options->layout);
    if (!r->format)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such layout: %d", r->options->layout);
    r->size = r->options->shard_size ? r->options->shard_size : default_shard_size;
    if (r->size > LXM_IDS_MOST)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a file has less than 2^31 ids");
    return choose_width(r, error);
}

/* FOLDER/ids-00000 and an ending; NULL where memory runs out. */
static char *file_path(const run *r, size_t index, const char *ending)
{
    size_t size = strlen(r->folder) + name_size;
    char *path = lxm_allocate(&r->allocator, size, 1);
    if (path && ending)
        snprintf(path, size, "%s/ids-%05zu%s", r->folder, index, ending);
    else if (path)
        snprintf(path, size, "%s/manifest.json", r->folder);
    return path;
}

static lxm_status refuse_old(const run *r, const char *ending, lxm_error *error)
{
    struct stat status;
    char *path = file_path(r, 0, ending);
    if (!path)
        return lxm_fail_memory(error);
    bool there = lstat(path, &status) == 0;
    lxm_release(&r->allocator, path);
    return there ? lxm_fail(error, LXM_ERROR_IO,
                            "the folder holds shards already: name another, or --force to replace "
                            "them")
                 : LXM_OK;
}

static lxm_status enter_folder(run *r, lxm_error *error)
{
    struct stat old;
    r->made_folder = mkdir(r->folder, 0777) == 0;
    if (r->made_folder)
        return LXM_OK;
    if (errno != EEXIST || stat(r->folder, &old))
        return lxm_fail_io(error, errno, "can't make the folder");
    if (!S_ISDIR(old.st_mode))
        return lxm_fail(error, LXM_ERROR_IO, "shards need a folder, but this is a file");
    if (r->options->replace) {
        /* from here on a folder without a manifest is one that isn't whole */
        char *manifest = file_path(r, 0, NULL);
        int failed = !manifest ? ENOMEM : unlink(manifest) && errno != ENOENT ? errno : 0;
        lxm_release(&r->allocator, manifest);
        return failed ? lxm_fail_io(error, failed, "can't remove the old manifest") : LXM_OK;
    }
    lxm_status status = refuse_old(r, NULL, error);
    return status ? status : refuse_old(r, r->format->extension, error);
}

static lxm_status open_file(run *r, lxm_error *error)
{
    size_t index = shard_count(r);
    r->path = file_path(r, index, "");
    r->name = file_path(r, index, r->format->extension);
    if (!r->path || !r->name)
        return lxm_fail_memory(error);
    return lxm_ids_file_open(&r->file, r->format, r->width, r->path, r->name, &r->allocator, error);
}

static void forget_file(run *r)
{
    lxm_ids_file_free(&r->file);
    lxm_release(&r->allocator, r->path);
    lxm_release(&r->allocator, r->name);
    r->path = r->name = NULL;
}

static lxm_status close_file(run *r, lxm_error *error)
{
    lxm_map map = {0};
    id_shard shard = {.tokens = r->file.tokens, .documents = r->file.documents};
    lxm_status status = lxm_ids_file_commit(&r->file, error);
    if (!status)
        status = lxm_map_open(&map, r->name, error);
    if (!status) {
        shard.bytes = map.length;
        shard.hash = lxm_hash(map.data, map.length, 0);
        lxm_map_close(&map);
        r->result.tokens += shard.tokens;
        r->result.shards++;
        if (!lxm_buffer_append(&r->list, &shard, sizeof shard))
            status = lxm_fail_memory(error);
    }
    forget_file(r);
    return status;
}

/* Writes ids, to as many files as it takes; where documents stay whole, one of too many ids is an
 * error. */
static lxm_status put(run *r, const uint32_t *ids, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    uint64_t most = r->format->documents ? LXM_IDS_MOST : r->size;
    while (!status && count > 0) {
        if (!r->file.format)
            status = open_file(r, error);
        uint64_t room = status ? 0 : most - r->file.tokens;
        size_t n = count < room ? count : (size_t)room;
        if (!status && n == 0 && r->format->documents)
            return lxm_fail(error, LXM_ERROR_LIMIT,
                            "a file of %s ends with a document and holds less than 2^31 ids: cut "
                            "the documents, or use smaller shards",
                            r->format->name);
        if (!status)
            status = lxm_ids_file_put(&r->file, ids, n, error);
        ids += n;
        count -= n;
        if (!status && !r->format->documents && r->file.tokens == most)
            status = close_file(r, error);
    }
    return status;
}

static lxm_status put_eot(run *r, bool before, lxm_error *error)
{
    if (!r->options->has_eot || r->format->eot_before != before)
        return LXM_OK;
    return put(r, &r->options->eot_id, 1, error);
}

static lxm_status end_document(run *r, lxm_error *error)
{
    if (!r->in_document)
        return LXM_OK; /* no ids: no document */
    r->in_document = false;
    r->result.documents++;
    lxm_status status = put_eot(r, false, error);
    if (!status && r->file.format)
        status = lxm_ids_file_end_document(&r->file, error);
    if (!status && r->file.format && r->file.tokens >= r->size)
        status = close_file(r, error);
    return status;
}

static lxm_status check_ids(const run *r, const lxm_reader *reader, const lxm_block *block,
                            lxm_error *error)
{
    size_t i = 0;
    while (i < block->ids.count && block->ids.ids[i] < r->limit)
        i++;
    if (i == block->ids.count)
        return LXM_OK;
    char which[40] = "";
    bool binary = lxm_reader_is_binary(reader);
    if (binary)
        snprintf(which, sizeof which, " (number %" PRIu64 ", from 0)", block->position + i);
    lxm_status status = lxm_fail(error, LXM_ERROR_ID,
                                 "id %u%s doesn't fit: %s with %u bits has ids under %" PRIu64 "%s",
                                 block->ids.ids[i], which, r->format->name, 8 * r->width, r->limit,
                                 r->width == 2 && r->format->limit32 ? " (try --width 32)" : "");
    if (error && !binary)
        error->line = block->position;
    return status;
}

static lxm_status each_block(run *r, const lxm_reader *reader, const lxm_block *block,
                             lxm_error *error)
{
    lxm_status status = check_ids(r, reader, block, error);
    if (!status && block->ids.count > 0) {
        if (!r->in_document)
            status = put_eot(r, true, error);
        r->in_document = true;
        if (!status)
            status = put(r, block->ids.ids, block->ids.count, error);
    }
    return !status && block->end_document ? end_document(r, error) : status;
}

static lxm_status each_stream(void *context, const char *path, lxm_reader *reader, lxm_error *error)
{
    (void)path;
    run *r = context;
    (void)path;
    lxm_block block;
    bool more = true;
    lxm_status status = LXM_OK;
    uint64_t fingerprint = lxm_reader_fingerprint(reader);
    if (fingerprint && r->fingerprint && fingerprint != r->fingerprint)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the ids are those of vocabulary %016" PRIx64 ", those of the files before "
                        "of %016" PRIx64,
                        fingerprint, r->fingerprint);
    r->fingerprint = fingerprint ? fingerprint : r->fingerprint;
    while (!status) {
        status = lxm_reader_next(reader, &block, &more, error);
        if (status || !more)
            break;
        status = each_block(r, reader, &block, error);
    }
    return status ? status : end_document(r, error);
}

static json_t *list_shards(const run *r)
{
    char name[name_size], hash[20];
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < shard_count(r); i++) {
        const id_shard *s = (const id_shard *)(const void *)r->list.data + i;
        snprintf(name, sizeof name, "ids-%05zu%s", i, r->format->extension);
        snprintf(hash, sizeof hash, "%016" PRIx64, s->hash);
        json_t *entry =
            json_pack("{s:s, s:I, s:I, s:s}", "file", name, "tokens", (json_int_t)s->tokens,
                      "bytes", (json_int_t)s->bytes, "xxh3", hash);
        if (r->format->documents)
            failed |=
                json_object_set_new(entry, "documents", json_integer((json_int_t)s->documents));
        failed |= json_array_append_new(list, entry);
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static char *make_manifest(const run *r)
{
    char hash[20];
    snprintf(hash, sizeof hash, "%016" PRIx64, r->fingerprint);
    json_t *eot = r->options->has_eot ? json_integer(r->options->eot_id) : json_null();
    json_t *fingerprint = r->fingerprint ? json_string(hash) : json_null();
    json_t *root = json_pack(
        "{s:s, s:i, s:s, s:o, s:I, s:I, s:i, s:o, s:o, s:s}", "format", "lexmill-ids", "version", 1,
        "layout", r->format->name, "shards", list_shards(r), "tokens", (json_int_t)r->result.tokens,
        "documents", (json_int_t)r->result.documents, "width", (int)(8 * r->width), "eot", eot,
        "fingerprint", fingerprint, "settings", r->options->settings ? r->options->settings : "");
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    return text;
}

static lxm_status write_manifest(run *r, lxm_error *error)
{
    lxm_output *output = NULL;
    char *path = file_path(r, 0, NULL), *text = make_manifest(r);
    lxm_status status = path && text ? lxm_output_open(&output, path, &r->allocator, error)
                                     : lxm_fail_memory(error);
    if (!status)
        status = lxm_output_write(output, text, strlen(text), error);
    if (!status)
        status = lxm_output_write(output, "\n", 1, error);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(text);
    lxm_release(&r->allocator, path);
    return status;
}

/* Takes back the files of a run that failed. */
static void clean_up(run *r)
{
    const char *const endings[] = {r->format->extension, ".idx"};
    for (size_t i = 0; i < shard_count(r) + 1; i++)
        for (size_t e = 0; e < 1u + (r->format == &lxm_megatron_ids); e++) {
            char *path = file_path(r, i, endings[e]);
            if (path && (i < shard_count(r) || e == 1))
                unlink(path);
            lxm_release(&r->allocator, path);
        }
    if (r->made_folder)
        rmdir(r->folder);
}

/* Removes what a longer run before left behind this one's files. */
static void remove_rest(const run *r)
{
    for (size_t i = shard_count(r);; i++) {
        char *path = file_path(r, i, r->format->extension);
        char *index = file_path(r, i, ".idx");
        bool gone = !path || unlink(path) != 0;
        if (index && r->format == &lxm_megatron_ids)
            unlink(index);
        lxm_release(&r->allocator, path);
        lxm_release(&r->allocator, index);
        if (gone)
            return;
    }
}

static lxm_status finish(run *r, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (!r->file.format && shard_count(r) == 0)
        status = open_file(r, error); /* a file without ids, for readers that want one */
    if (!status && r->file.format)
        status = close_file(r, error);
    if (!status && r->options->replace)
        remove_rest(r);
    return status ? status : write_manifest(r, error);
}

/* Errors of files carry names that go; the folder's stays. */
static void blame_folder(const run *r, const char *const *paths, size_t count, lxm_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (error->path == paths[i])
            return;
    error->path = r->folder;
}

lxm_status lxm_run_id_shards(const lxm_id_shards_options *options, const char *const *paths,
                             size_t path_count, const char *folder, const lxm_job *job,
                             lxm_id_shards_result *result, lxm_error *error)
{
    static const lxm_job plain = {0};
    run r = {.options = options, .job = job ? job : &plain, .folder = folder};
    lxm_error unused = {0};
    error = error ? error : &unused;
    r.allocator = lxm_allocator_or_default(r.job->allocator);
    lxm_buffer_init(&r.list, &r.allocator);
    lxm_status status = begin(&r, error);
    if (status)
        return status;
    error->path = NULL;
    status = enter_folder(&r, error);
    bool entered = !status;
    if (!status)
        status = lxm_job_streams(paths, path_count, LXM_KIND_IDS, r.job, each_stream, &r, error);
    if (!status)
        status = finish(&r, error);
    forget_file(&r);
    if (status && entered)
        clean_up(&r);
    if (status)
        blame_folder(&r, paths, path_count, error);
    lxm_buffer_free(&r.list);
    if (result)
        *result = r.result;
    return status;
}
