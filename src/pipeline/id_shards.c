/* Ids into the files of training programs. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/hash.h"
#include "formats/ids.h"
#include "pipeline/staging.h"

static const uint64_t default_shard_size = 100000000;

struct lxm_id_shards {
    lxm_allocator allocator;
    lxm_id_shards_options options;
    const lxm_ids_format *format;
    const char *folder;
    const char *endings[3];
    unsigned width; /* bytes */
    uint64_t limit, size;
    uint64_t identity; /* of the job, for the journal and the manifest */
    lxm_staging staging;
    lxm_ids_file file;    /* format NULL: none is open */
    char *path, *name;    /* of it, without and with its ending */
    lxm_hasher inputs;    /* all ids so far, and where documents end */
    uint64_t in_document; /* ids of the document under way */
    uint64_t fingerprint;
    char *settings;
    lxm_id_shards_result result;
};

/* ---- options ---- */

static lxm_status choose_width(lxm_id_shards *s, lxm_error *error)
{
    const lxm_id_shards_options *o = &s->options;
    const lxm_ids_format *format = s->format;
    unsigned width = o->width;
    if (width != 0 && width != 16 && width != 32)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "ids have 16 or 32 bits, not %u", width);
    if (width == 0 && (format->wide || o->vocab_size > format->limit16) && format->limit32)
        width = 32;
    s->width = width == 32 ? 4 : 2;
    s->limit = width == 32 ? format->limit32 : format->limit16;
    if (s->limit == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "%s has ids of 16 bits alone", format->name);
    if (o->vocab_size > s->limit)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a vocabulary of %" PRIu64 " tokens doesn't fit: %s with %u bits has ids "
                        "under %" PRIu64 ": %s",
                        o->vocab_size, format->name, 8 * s->width, s->limit,
                        s->width == 2 && format->limit32 ? "give it 32 (--width 32)"
                                                         : "use another layout");
    if (o->has_eot && o->eot_id >= s->limit)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the end-of-text id %u doesn't fit %u bits",
                        o->eot_id, 8 * s->width);
    return LXM_OK;
}

static lxm_status check_options(lxm_id_shards *s, lxm_error *error)
{
    const lxm_id_shards_options *o = &s->options;
    s->format = lxm_ids_format_of(o->layout);
    if (!s->format)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such layout: %d", o->layout);
    s->size = o->shard_size ? o->shard_size : default_shard_size;
    if (s->size > LXM_IDS_MOST)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a file has less than 2^31 ids");
    s->endings[0] = s->format->extension;
    s->endings[1] = s->format->has_index ? ".idx" : NULL;
    return choose_width(s, error);
}

/* All that the bytes depend on but the ids. */
static uint64_t identify(const lxm_id_shards *s)
{
    const lxm_id_shards_options *o = &s->options;
    uint64_t numbers[] = {
        o->layout,     s->width,      s->size, o->has_eot, o->has_eot ? o->eot_id : 0,
        o->vocab_size, o->fingerprint};
    uint64_t hash = lxm_hash(numbers, sizeof numbers, 0);
    return o->settings ? lxm_hash(o->settings, strlen(o->settings), hash) : hash;
}

/* Names of files go when they are closed; the folder's stays. */
static lxm_status blame(const lxm_id_shards *s, lxm_status status, lxm_error *error)
{
    bool of_the_input = status == LXM_ERROR_ID || status == LXM_ERROR_LIMIT;
    if (status && error)
        error->path = of_the_input ? NULL : s->folder;
    return status;
}

lxm_status lxm_id_shards_new(lxm_id_shards **out, const lxm_id_shards_options *options,
                             const char *folder, const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_id_shards *s = lxm_new(&a, sizeof *s);
    if (!s)
        return lxm_fail_memory(error);
    *s = (lxm_id_shards){
        .allocator = a, .options = *options, .folder = folder, .fingerprint = options->fingerprint};
    lxm_status status = check_options(s, error);
    s->identity = status ? 0 : identify(s);
    if (!status && !lxm_hasher_init(&s->inputs, &a))
        status = lxm_fail_memory(error);
    lxm_staging_options staging = {.folder = folder,
                                   .stem = "ids",
                                   .endings = s->endings,
                                   .capacity = s->size,
                                   .identity = s->identity,
                                   .resume = options->resume,
                                   .replace = options->replace};
    if (!status)
        status = blame(s, lxm_staging_open(&s->staging, &staging, &a, error), error);
    if (status)
        lxm_id_shards_free(s);
    else
        *out = s;
    return status;
}

/* ---- files ---- */

static void forget_file(lxm_id_shards *s)
{
    lxm_ids_file_free(&s->file);
    lxm_release(&s->allocator, s->path);
    lxm_release(&s->allocator, s->name);
    s->path = s->name = NULL;
}

/* One that a run before has done isn't written again: its ids are counted. */
static lxm_status open_file(lxm_id_shards *s, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (!lxm_staging_next(&s->staging)) {
        status = lxm_staging_may_go_on(&s->staging, error);
        s->path = lxm_staging_file(&s->staging, "");
        s->name = lxm_staging_file(&s->staging, s->format->extension);
        if (!status && (!s->path || !s->name))
            status = lxm_fail_memory(error);
    }
    return status ? status
                  : lxm_ids_file_open(&s->file, s->format, s->width, s->path, s->name,
                                      &s->allocator, error);
}

static lxm_status hash_file(const lxm_id_shards *s, const char *ending, uint64_t *bytes,
                            uint64_t *hash, lxm_error *error)
{
    char *path = lxm_staging_file(&s->staging, ending);
    if (!path)
        return lxm_fail_memory(error);
    lxm_status status = lxm_hash_file(path, bytes, hash, &s->allocator, error);
    lxm_release(&s->allocator, path);
    return status;
}

static lxm_status close_file(lxm_id_shards *s, lxm_error *error)
{
    lxm_shard shard = {.rows = s->file.tokens, .documents = s->file.documents};
    lxm_status status = LXM_OK;
    if (s->file.output) {
        status = lxm_ids_file_commit(&s->file, error);
        if (!status)
            status = hash_file(s, s->endings[0], &shard.bytes, &shard.hash, error);
        if (!status && s->endings[1])
            status = hash_file(s, s->endings[1], &shard.index_bytes, &shard.index_hash, error);
    }
    forget_file(s);
    return status
               ? status
               : lxm_staging_add(&s->staging, &shard, XXH3_64bits_digest(s->inputs.state), error);
}

/* ---- ids ---- */

/* Writes ids, to as many files as it takes; where documents stay whole, one of too many ids is an
 * error. */
static lxm_status put(lxm_id_shards *s, const uint32_t *ids, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    uint64_t most = s->format->documents ? LXM_IDS_MOST : s->size;
    s->result.tokens += count;
    while (!status && count > 0) {
        if (!s->file.format && !s->staging.finished)
            status = open_file(s, error);
        uint64_t room = status ? 0 : most - s->file.tokens;
        size_t n = count < room || s->staging.finished ? count : (size_t)room;
        if (!status && n == 0)
            return lxm_fail(error, LXM_ERROR_LIMIT,
                            "a file of %s ends with a document and holds less than 2^31 ids: cut "
                            "the documents, or use smaller shards",
                            s->format->name);
        lxm_hash_update(s->inputs.state, ids, n * sizeof *ids);
        if (!status && !s->staging.finished)
            status = lxm_ids_file_put(&s->file, ids, n, error);
        ids += n;
        count -= n;
        if (!status && !s->format->documents && s->file.tokens == most)
            status = close_file(s, error);
    }
    return status;
}

static lxm_status put_eot(lxm_id_shards *s, bool before, lxm_error *error)
{
    if (!s->options.has_eot || s->format->eot_before != before)
        return LXM_OK;
    return put(s, &s->options.eot_id, 1, error);
}

static lxm_status begin(void *context, uint64_t fingerprint, const char *settings, lxm_error *error)
{
    lxm_id_shards *s = context;
    if (fingerprint && s->fingerprint && fingerprint != s->fingerprint)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the ids are those of vocabulary %016" PRIx64 ", not of %016" PRIx64
                        ", which was named or which the files before have",
                        fingerprint, s->fingerprint);
    s->fingerprint = fingerprint ? fingerprint : s->fingerprint;
    if (s->settings || !*settings)
        return LXM_OK;
    s->settings = lxm_copy_string(&s->allocator, settings);
    return s->settings ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status check_ids(const lxm_id_shards *s, const uint32_t *ids, size_t count,
                            lxm_error *error)
{
    size_t i = 0;
    uint32_t most = 0;
    for (size_t k = 0; k < count; k++)
        most = ids[k] > most ? ids[k] : most;
    if (most < s->limit)
        return LXM_OK;
    while (ids[i] < s->limit)
        i++;
    return lxm_fail_at(error, LXM_ERROR_ID, i,
                       "id %" PRIu32 " doesn't fit: %s with %u bits has ids under %" PRIu64 "%s",
                       ids[i], s->format->name, 8 * s->width, s->limit,
                       s->width == 2 && s->format->limit32 ? ": give it 32 (--width 32)" : "");
}

static lxm_status take_ids(void *context, const uint32_t *ids, size_t count, lxm_error *error)
{
    lxm_id_shards *s = context;
    lxm_status status = check_ids(s, ids, count, error);
    if (!status && s->in_document == 0)
        status = put_eot(s, true, error);
    if (!status)
        status = put(s, ids, count, error);
    s->in_document += count;
    return blame(s, status, error);
}

static lxm_status end_document(void *context, lxm_error *error)
{
    lxm_id_shards *s = context;
    if (s->in_document == 0)
        return LXM_OK; /* no ids: no document */
    s->result.documents++;
    lxm_status status = put_eot(s, false, error);
    lxm_hash_update(s->inputs.state, &s->in_document, sizeof s->in_document);
    s->in_document = 0;
    if (!status && s->file.format)
        status = lxm_ids_file_end_document(&s->file, error);
    if (!status && s->file.format && s->file.tokens >= s->size)
        status = close_file(s, error);
    return blame(s, status, error);
}

lxm_id_sink lxm_id_shards_sink(lxm_id_shards *shards)
{
    return (lxm_id_sink){begin, take_ids, end_document, shards};
}

/* ---- the end ---- */

static json_t *describe_shard(const lxm_id_shards *s, size_t index)
{
    const lxm_shard *shard = lxm_staging_at(&s->staging, index);
    char name[lxm_shard_name_size];
    snprintf(name, sizeof name, "ids-%05zu%s", index, s->endings[0]);
    json_t *entry = json_pack(
        "{s:s, s:o, s:o, s:o}", "file", name, "tokens", lxm_manifest_number(shard->rows), "bytes",
        lxm_manifest_number(shard->bytes), "xxh3", lxm_manifest_hash(shard->hash));
    int failed = !entry;
    if (s->format->documents)
        failed |= json_object_set_new(entry, "documents", lxm_manifest_number(shard->documents));
    if (s->endings[1]) {
        snprintf(name, sizeof name, "ids-%05zu%s", index, s->endings[1]);
        failed |= json_object_set_new(entry, "index",
                                      json_pack("{s:s, s:o, s:o}", "file", name, "bytes",
                                                lxm_manifest_number(shard->index_bytes), "xxh3",
                                                lxm_manifest_hash(shard->index_hash)));
    }
    if (!failed)
        return entry;
    json_decref(entry);
    return NULL;
}

static json_t *list_shards(const lxm_id_shards *s)
{
    json_t *list = json_array();
    int failed = !list;
    for (size_t i = 0; !failed && i < lxm_staging_count(&s->staging); i++)
        failed = json_array_append_new(list, describe_shard(s, i));
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *make_manifest(const lxm_id_shards *s, uint64_t inputs)
{
    const lxm_id_shards_options *o = &s->options;
    const char *settings = o->settings ? o->settings : s->settings ? s->settings : "";
    json_t *root = json_object();
    int failed = json_object_set_new(root, "format", json_string("lexmill-ids"));
    failed |= json_object_set_new(root, "version", lxm_manifest_number(1));
    failed |= json_object_set_new(root, "layout", json_string(s->format->name));
    failed |= json_object_set_new(root, "shards", list_shards(s));
    failed |= json_object_set_new(root, "tokens", lxm_manifest_number(s->result.tokens));
    failed |= json_object_set_new(root, "documents", lxm_manifest_number(s->result.documents));
    failed |= json_object_set_new(root, "width", lxm_manifest_number(8 * s->width));
    failed |= json_object_set_new(root, "shard_size", lxm_manifest_number(s->size));
    failed |=
        json_object_set_new(root, "eot", o->has_eot ? lxm_manifest_number(o->eot_id) : json_null());
    failed |= json_object_set_new(root, "vocab_size",
                                  o->vocab_size ? lxm_manifest_number(o->vocab_size) : json_null());
    failed |= json_object_set_new(root, "fingerprint", lxm_manifest_fingerprint(s->fingerprint));
    failed |= json_object_set_new(root, "job", lxm_manifest_hash(s->identity));
    failed |= json_object_set_new(root, "inputs", lxm_manifest_hash(inputs));
    failed |= json_object_set_new(root, "settings", lxm_json_text(settings, &s->allocator));
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

/* The last file; or one without ids, for readers that want one. */
static lxm_status end_files(lxm_id_shards *s, lxm_error *error)
{
    bool none = lxm_staging_count(&s->staging) == 0 && !s->staging.finished && !s->staging.old;
    lxm_status status = s->in_document ? end_document(s, error) : LXM_OK;
    if (!status && !s->file.format && none && s->result.tokens == 0)
        status = open_file(s, error);
    return !status && s->file.format ? close_file(s, error) : status;
}

lxm_status lxm_id_shards_commit(lxm_id_shards *s, lxm_id_shards_result *result, lxm_error *error)
{
    lxm_buffer text;
    lxm_buffer_init(&text, &s->allocator);
    lxm_status status = end_files(s, error);
    uint64_t inputs = XXH3_64bits_digest(s->inputs.state);
    s->result.shards = lxm_staging_count(&s->staging);
    if (!status)
        status = lxm_manifest_format(make_manifest(s, inputs), &text, error);
    if (!status)
        status = lxm_staging_commit(&s->staging, &text, inputs, error);
    lxm_buffer_free(&text);
    if (result)
        *result = s->result;
    return blame(s, status, error);
}

void lxm_id_shards_free(lxm_id_shards *s)
{
    if (!s)
        return;
    lxm_allocator a = s->allocator;
    forget_file(s);
    lxm_staging_close(&s->staging);
    lxm_hasher_free(&s->inputs, &a);
    lxm_release(&a, s->settings);
    lxm_release(&a, s);
}
