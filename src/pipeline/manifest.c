#define _POSIX_C_SOURCE 200809L
#include "pipeline/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "formats/json.h"

json_t *lxm_manifest_number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *lxm_manifest_hash(uint64_t value)
{
    char digits[20];
    snprintf(digits, sizeof digits, "%016" PRIx64, value);
    return json_string(digits);
}

json_t *lxm_manifest_fingerprint(uint64_t value)
{
    return value ? lxm_manifest_hash(value) : json_null();
}

/* Larger than what JSON readers hold, perhaps. */
static json_t *number_text(uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    return json_string(digits);
}

static json_t *shard_list(const lxm_manifest *manifest)
{
    char name[lxm_shard_name_size];
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < manifest->count; i++) {
        const lxm_shard *shard = &manifest->shards[i];
        snprintf(name, sizeof name, "shard-%05zu.safetensors", i);
        failed |= json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "file", name,
                                                        "rows", lxm_manifest_number(shard->rows),
                                                        "bytes", lxm_manifest_number(shard->bytes),
                                                        "xxh3", lxm_manifest_hash(shard->hash)));
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static int add_window(json_t *root, const lxm_manifest *manifest)
{
    const lxm_window_options *window = &manifest->options->window;
    size_t stride = window->stride ? window->stride : window->context;
    int failed = json_object_set_new(root, "context", lxm_manifest_number(window->context));
    failed |= json_object_set_new(root, "stride", lxm_manifest_number(stride));
    failed |= json_object_set_new(root, "targets", json_boolean(window->targets));
    failed |= json_object_set_new(root, "pad",
                                  window->pad ? lxm_manifest_number(window->pad_id) : json_null());
    failed |=
        json_object_set_new(root, "pad_side", json_string(window->pad_left ? "left" : "right"));
    failed |= json_object_set_new(root, "packed", json_boolean(window->pack));
    failed |= json_object_set_new(
        root, "eot", window->has_eot ? lxm_manifest_number(window->eot_id) : json_null());
    failed |= json_object_set_new(
        root, "shuffle",
        manifest->options->shuffle ? number_text(manifest->options->shuffle_seed) : json_null());
    failed |= json_object_set_new(root, "vectors", json_boolean(!manifest->options->ids_only));
    failed |=
        json_object_set_new(root, "unused_ids", lxm_manifest_number(manifest->result->unused));
    return failed;
}

static json_t *make_json(const lxm_manifest *manifest, const lxm_allocator *allocator)
{
    const lxm_embed_options *options = manifest->options;
    static const char *const dtypes[] = {"F32", "F16", "BF16", "I8"};
    static const char *const pools[] = {"none", "mean", "max", "sum", "first", "last"};
    json_t *root = json_object();
    int failed = json_object_set_new(root, "format", json_string("lexmill-shards"));
    failed |= json_object_set_new(root, "version", lxm_manifest_number(1));
    failed |= json_object_set_new(root, "shards", shard_list(manifest));
    failed |= json_object_set_new(root, "rows", lxm_manifest_number(manifest->result->rows));
    failed |= json_object_set_new(root, "dim", lxm_manifest_number(manifest->shape->dim));
    failed |= json_object_set_new(root, "dtype", json_string(dtypes[options->dtype]));
    failed |= json_object_set_new(root, "batch", lxm_manifest_number(manifest->batch));
    failed |= json_object_set_new(root, "drop_last", json_boolean(options->drop_last));
    failed |=
        json_object_set_new(root, "dropped_rows", lxm_manifest_number(manifest->result->dropped));
    if (manifest->shape->context)
        failed |= add_window(root, manifest);
    failed |= json_object_set_new(root, "pool", json_string(pools[options->pool.kind]));
    failed |= json_object_set_new(root, "normalize", json_boolean(options->pool.normalize));
    failed |= json_object_set_new(root, "positions", json_boolean(options->positions != NULL));
    failed |= json_object_set_new(root, "fingerprint",
                                  lxm_manifest_fingerprint(manifest->shape->fingerprint));
    failed |= json_object_set_new(root, "table_fingerprint",
                                  lxm_manifest_fingerprint(lxm_table_fingerprint(options->table)));
    failed |= json_object_set_new(root, "job", lxm_manifest_hash(manifest->identity));
    failed |= json_object_set_new(root, "inputs", lxm_manifest_hash(manifest->inputs));
    failed |= json_object_set_new(
        root, "settings", lxm_json_text(options->settings ? options->settings : "", allocator));
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

lxm_status lxm_manifest_sum(const json_t *root, uint64_t *hash, const lxm_allocator *allocator,
                            lxm_error *error)
{
    lxm_buffer text;
    lxm_buffer_init(&text, allocator);
    bool good = lxm_json_append(&text, root, JSON_COMPACT);
    if (good)
        *hash = lxm_hash(text.data, text.length, 0);
    lxm_buffer_free(&text);
    return good ? LXM_OK : lxm_fail_memory(error);
}

lxm_status lxm_manifest_format(json_t *root, lxm_buffer *text, lxm_error *error)
{
    uint64_t hash = 0;
    lxm_status status = lxm_manifest_sum(root, &hash, &text->allocator, error);
    if (!status &&
        (json_object_set_new(root, "xxh3", lxm_manifest_hash(hash)) ||
         !lxm_json_append(text, root, JSON_INDENT(2)) || !lxm_buffer_append(text, "\n", 1)))
        status = lxm_fail_memory(error);
    json_decref(root);
    return status;
}

lxm_status lxm_manifest_write(const lxm_manifest *manifest, lxm_buffer *text, lxm_error *error)
{
    return lxm_manifest_format(make_json(manifest, &text->allocator), text, error);
}

static bool read_hash(const json_t *root, const char *name, uint64_t *hash)
{
    const char *digits = json_string_value(json_object_get(root, name));
    return digits && sscanf(digits, "%16" SCNx64, hash) == 1;
}

/* A shard, or the second file of one. */
static lxm_status check_file(const char *folder, const json_t *listed,
                             const lxm_allocator *allocator, lxm_error *error)
{
    struct stat status;
    const char *name = json_string_value(json_object_get(listed, "file"));
    const json_t *bytes = json_object_get(listed, "bytes");
    size_t size = strlen(folder) + (name ? strlen(name) : 0) + 2;
    char *path = lxm_allocate(allocator, size, 1);
    if (!path)
        return lxm_fail_memory(error);
    snprintf(path, size, "%s/%s", folder, name ? name : "");
    bool good = name && stat(path, &status) == 0 && status.st_size == json_integer_value(bytes);
    lxm_release(allocator, path);
    return good ? LXM_OK
                : lxm_fail(error, LXM_ERROR_FORMAT,
                           "%.100s is gone, or has another size than in manifest.json: --force "
                           "makes all shards again",
                           name ? name : "a file");
}

static lxm_status check_files(const char *folder, const json_t *root,
                              const lxm_allocator *allocator, lxm_error *error)
{
    const json_t *shards = json_object_get(root, "shards");
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < json_array_size(shards); i++) {
        const json_t *shard = json_array_get(shards, i), *index = json_object_get(shard, "index");
        status = check_file(folder, shard, allocator, error);
        if (!status && index)
            status = check_file(folder, index, allocator, error);
    }
    return status;
}

lxm_status lxm_manifest_find(const char *folder, uint64_t identity, bool *found, uint64_t *inputs,
                             const lxm_allocator *allocator, lxm_error *error)
{
    uint64_t job;
    json_error_t problem;
    size_t size = strlen(folder) + 16;
    char *path = lxm_allocate(allocator, size, 1);
    if (!path)
        return lxm_fail_memory(error);
    snprintf(path, size, "%s/manifest.json", folder);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    lxm_release(allocator, path);
    if (!root && json_error_code(&problem) == json_error_out_of_memory)
        return lxm_fail_memory(error);
    *found = read_hash(root, "job", &job) && job == identity && read_hash(root, "inputs", inputs);
    lxm_status status = *found ? check_files(folder, root, allocator, error) : LXM_OK;
    json_decref(root);
    return status;
}
