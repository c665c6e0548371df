#include "pipeline/manifest.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Larger than what JSON readers hold, perhaps. */
static json_t *number_text(uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    return json_string(digits);
}

/* 16 hexadecimal digits. */
static json_t *hexadecimal(uint64_t value)
{
    char digits[20];
    snprintf(digits, sizeof digits, "%016" PRIx64, value);
    return json_string(digits);
}

static json_t *fingerprint(uint64_t value)
{
    return value ? hexadecimal(value) : json_null();
}

static json_t *shard_list(const lxm_manifest *manifest)
{
    char name[48];
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; i < manifest->count; i++) {
        const lxm_shard *shard = &manifest->shards[i];
        snprintf(name, sizeof name, "shard-%05zu.safetensors", i);
        failed |= json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:o}", "file", name, "rows", number(shard->rows),
                            "bytes", number(shard->bytes), "xxh3", hexadecimal(shard->hash)));
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
    int failed = json_object_set_new(root, "context", number(window->context));
    failed |= json_object_set_new(root, "stride", number(stride));
    failed |= json_object_set_new(root, "targets", json_boolean(window->targets));
    failed |= json_object_set_new(root, "pad", window->pad ? number(window->pad_id) : json_null());
    failed |=
        json_object_set_new(root, "pad_side", json_string(window->pad_left ? "left" : "right"));
    failed |= json_object_set_new(root, "packed", json_boolean(window->pack));
    failed |=
        json_object_set_new(root, "eot", window->has_eot ? number(window->eot_id) : json_null());
    failed |= json_object_set_new(
        root, "shuffle",
        manifest->options->shuffle ? number_text(manifest->options->shuffle_seed) : json_null());
    failed |= json_object_set_new(root, "vectors", json_boolean(!manifest->options->ids_only));
    failed |= json_object_set_new(root, "unused_ids", number(manifest->result->unused));
    return failed;
}

static json_t *make_json(const lxm_manifest *manifest)
{
    const lxm_embed_options *options = manifest->options;
    static const char *const dtypes[] = {"F32", "F16", "BF16", "I8"};
    static const char *const pools[] = {"none", "mean", "max", "sum", "first", "last"};
    json_t *root = json_object();
    int failed = json_object_set_new(root, "format", json_string("lexmill-shards"));
    failed |= json_object_set_new(root, "version", number(1));
    failed |= json_object_set_new(root, "shards", shard_list(manifest));
    failed |= json_object_set_new(root, "rows", number(manifest->result->rows));
    failed |= json_object_set_new(root, "dim", number(manifest->shape->dim));
    failed |= json_object_set_new(root, "dtype", json_string(dtypes[options->dtype]));
    failed |= json_object_set_new(root, "batch", number(manifest->batch));
    failed |= json_object_set_new(root, "drop_last", json_boolean(options->drop_last));
    failed |= json_object_set_new(root, "dropped_rows", number(manifest->result->dropped));
    if (manifest->shape->context)
        failed |= add_window(root, manifest);
    failed |= json_object_set_new(root, "pool", json_string(pools[options->pool.kind]));
    failed |= json_object_set_new(root, "normalize", json_boolean(options->pool.normalize));
    failed |= json_object_set_new(root, "positions", json_boolean(options->positions != NULL));
    failed |= json_object_set_new(root, "fingerprint", fingerprint(manifest->shape->fingerprint));
    failed |= json_object_set_new(root, "table_fingerprint",
                                  fingerprint(lxm_table_fingerprint(options->table)));
    failed |= json_object_set_new(root, "job", hexadecimal(manifest->identity));
    failed |= json_object_set_new(root, "settings",
                                  json_string(options->settings ? options->settings : ""));
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

lxm_status lxm_manifest_write(const lxm_manifest *manifest, lxm_output *output,
                              const lxm_allocator *allocator, lxm_error *error)
{
    json_t *root = make_json(manifest);
    lxm_buffer text;
    lxm_buffer_init(&text, allocator);
    bool good = lxm_json_append(&text, root, JSON_INDENT(2)) && lxm_buffer_append(&text, "\n", 1);
    json_decref(root);
    lxm_status status =
        good ? lxm_output_write(output, text.data, text.length, error) : lxm_fail_memory(error);
    lxm_buffer_free(&text);
    return status;
}

bool lxm_manifest_is_of(const char *folder, uint64_t identity, uint64_t *rows,
                        const lxm_allocator *allocator)
{
    char digits[20];
    size_t size = strlen(folder) + 16;
    char *path = lxm_allocate(allocator, size, 1);
    if (!path)
        return false;
    snprintf(path, size, "%s/manifest.json", folder);
    snprintf(digits, sizeof digits, "%016" PRIx64, identity);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *job = json_string_value(json_object_get(root, "job"));
    bool same = job && strcmp(job, digits) == 0;
    *rows = (uint64_t)json_integer_value(json_object_get(root, "rows"));
    json_decref(root);
    lxm_release(allocator, path);
    return same;
}
