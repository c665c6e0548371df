/* A folder of shards against its manifest. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "formats/ids.h"
#include "formats/safetensors.h"
#include "pipeline/job.h"
#include "pipeline/manifest.h"

typedef struct verify {
    lxm_allocator allocator;
    const char *folder;
    const lxm_job *job;
    json_t *manifest;
    const lxm_ids_format *ids; /* NULL: vectors */
    uint64_t width;            /* of an id, in bytes */
    lxm_verify_result result;
} verify;

/* FOLDER/NAME mapped; the caller closes it whatever the result. */
static lxm_status map_file(const verify *v, const char *name, lxm_map *map, lxm_error *error)
{
    size_t size = strlen(v->folder) + strlen(name) + 2;
    char *path = lxm_allocate(&v->allocator, size, 1);
    *map = (lxm_map){0};
    if (!path)
        return lxm_fail_memory(error);
    snprintf(path, size, "%s/%s", v->folder, name);
    lxm_error reason = {0};
    lxm_status status = lxm_map_open(map, path, &reason);
    lxm_release(&v->allocator, path);
    if (status && error)
        *error = reason;
    if (status)
        lxm_fail_io(error, reason.system, name);
    return status;
}

static bool take_number(const json_t *object, const char *name, uint64_t *number)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *number = (uint64_t)json_integer_value(value);
    return true;
}

/* Of a folder of ids. */
static lxm_status read_layout(verify *v, lxm_error *error)
{
    const char *layout = json_string_value(json_object_get(v->manifest, "layout"));
    v->ids = layout ? lxm_ids_format_named(layout) : NULL;
    if (!v->ids || !take_number(v->manifest, "width", &v->width) ||
        (v->width != 16 && v->width != 32))
        return lxm_fail(error, LXM_ERROR_FORMAT, "manifest.json lacks a right layout and width");
    v->width /= 8;
    return LXM_OK;
}

static lxm_status load_manifest(verify *v, lxm_error *error)
{
    json_error_t problem;
    lxm_map map;
    lxm_status status = map_file(v, "manifest.json", &map, error);
    if (status && error && error->system == ENOENT)
        lxm_fail_io(error, ENOENT, "manifest.json, which a run writes when all is done");
    if (status)
        return status;
    v->manifest = json_loadb((const char *)map.data, map.length, JSON_REJECT_DUPLICATES, &problem);
    lxm_map_close(&map);
    if (!v->manifest && json_error_code(&problem) == json_error_out_of_memory)
        return lxm_fail_memory(error);
    const char *format = json_string_value(json_object_get(v->manifest, "format"));
    v->result.ids = format && strcmp(format, "lexmill-ids") == 0;
    if (!format || (strcmp(format, "lexmill-shards") != 0 && !v->result.ids) ||
        !json_is_array(json_object_get(v->manifest, "shards")))
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "manifest.json is none of lexmill's shards: %.100s",
                        v->manifest ? "another format" : problem.text);
    return v->result.ids ? read_layout(v, error) : LXM_OK;
}

typedef struct listed {
    const char *file;
    uint64_t rows, documents, bytes, hash;
} listed;

/* A name in the folder itself: no separator, and neither . nor .. */
static bool stays_inside(const char *file)
{
    return *file && !strchr(file, '/') && strcmp(file, ".") != 0 && strcmp(file, "..") != 0;
}

static lxm_status read_listed(listed *l, const json_t *value, size_t index, lxm_error *error)
{
    char shown[80];
    const char *hash = json_string_value(json_object_get(value, "xxh3"));
    l->file = json_string_value(json_object_get(value, "file"));
    if (!l->file || !take_number(value, "bytes", &l->bytes) || !hash || strlen(hash) != 16 ||
        strspn(hash, "0123456789abcdef") != 16 || sscanf(hash, "%" SCNx64, &l->hash) != 1)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "manifest.json: shard %zu lacks a right file, bytes and xxh3", index);
    if (!stays_inside(l->file))
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "manifest.json: the name '%s' leads out of the folder",
                        lxm_printable(shown, sizeof shown - 8, l->file, strlen(l->file)));
    return LXM_OK;
}

static lxm_status read_rows(const verify *v, listed *l, const json_t *value, size_t index,
                            lxm_error *error)
{
    const char *what = v->ids ? "tokens" : "rows";
    if (take_number(value, what, &l->rows) &&
        (!v->ids || !v->ids->documents || take_number(value, "documents", &l->documents)))
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_FORMAT, "manifest.json: shard %zu lacks its number of %s",
                    index, what);
}

/* How many rows a tensor should have. */
static uint64_t rows_of(const verify *v, const listed *l, const lxm_tensor *tensor)
{
    if (v->ids && strcmp(tensor->name, "documents") == 0)
        return l->documents + 1;
    if (v->ids && strcmp(tensor->name, "ids") != 0)
        return tensor->shape[0];
    return l->rows;
}

/* The rows of every tensor. */
static lxm_status check_tensors(const verify *v, const listed *l, lxm_map map, lxm_error *error)
{
    lxm_safetensors c = {0};
    if (!lxm_safetensors_probe(map.data, map.length))
        return lxm_fail(error, LXM_ERROR_FORMAT, "%.200s is no .safetensors file", l->file);
    lxm_status status = lxm_safetensors_read(&c, map, &v->allocator, error);
    for (size_t i = 0; !status && i < c.count; i++) {
        const lxm_tensor *t = &lxm_safetensors_tensors(&c)[i];
        if (t->dimensions == 0 || t->shape[0] != rows_of(v, l, t))
            status = lxm_fail(error, LXM_ERROR_FORMAT,
                              "%.100s: tensor '%.100s' hasn't the %" PRIu64 " rows of the manifest",
                              l->file, t->name, l->rows);
    }
    lxm_safetensors_free(&c);
    return status;
}

static lxm_status check_rows(const verify *v, const listed *l, lxm_map map, lxm_error *error)
{
    uint64_t bytes;
    if (!v->ids || v->ids->header == SIZE_MAX)
        return check_tensors(v, l, map, error);
    if (!__builtin_mul_overflow(l->rows, v->width, &bytes) && l->bytes >= v->ids->header &&
        l->bytes - v->ids->header == bytes)
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_FORMAT, "%.200s hasn't the %" PRIu64 " ids of the manifest",
                    l->file, l->rows);
}

/* A file's size and hash, and with `rows` what it holds. */
static lxm_status check_file(verify *v, const listed *l, bool rows, lxm_error *error)
{
    lxm_map map;
    lxm_status status = map_file(v, l->file, &map, error);
    if (status)
        return status;
    uint64_t hash = 0;
    if (map.length != l->bytes)
        status = lxm_fail(error, LXM_ERROR_FORMAT,
                          "%.200s has %zu bytes, but the manifest says %" PRIu64, l->file,
                          map.length, l->bytes);
    else if ((hash = lxm_hash(map.data, map.length, 0)) != l->hash)
        status = lxm_fail(error, LXM_ERROR_FORMAT,
                          "%.200s is damaged: its XXH3 is %016" PRIx64 ", but the manifest says "
                          "%016" PRIx64,
                          l->file, hash, l->hash);
    else if (rows)
        status = check_rows(v, l, map, error);
    lxm_map_close(&map);
    v->result.bytes += l->bytes;
    lxm_job_report(v->job, v->result.bytes);
    return status;
}

static lxm_status check_shard(verify *v, const json_t *value, size_t index, lxm_error *error)
{
    listed l = {0}, second = {0};
    const json_t *other = json_object_get(value, "index");
    lxm_status status = read_listed(&l, value, index, error);
    if (!status)
        status = read_rows(v, &l, value, index, error);
    if (!status)
        status = check_file(v, &l, true, error);
    if (!status && v->ids && v->ids->has_index) {
        status = read_listed(&second, other, index, error);
        if (!status)
            status = check_file(v, &second, false, error);
    }
    v->result.shards++;
    v->result.rows += l.rows;
    return status;
}

/* Of what nothing else tells. The hash is no part of what is hashed: it goes. */
static lxm_status check_manifest(verify *v, lxm_error *error)
{
    char digits[20] = "", wanted[20];
    const char *found = json_string_value(json_object_get(v->manifest, "xxh3"));
    uint64_t hash = 0;
    if (found)
        snprintf(digits, sizeof digits, "%s", found);
    (void)json_object_del(v->manifest, "xxh3"); /* which may be absent */
    lxm_status status = lxm_manifest_sum(v->manifest, &hash, &v->allocator, error);
    if (status)
        return status;
    snprintf(wanted, sizeof wanted, "%016" PRIx64, hash);
    if (strcmp(digits, wanted) == 0)
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_FORMAT,
                    "manifest.json is damaged, or was changed: its own XXH3 is wrong");
}

static lxm_status check_shards(verify *v, lxm_error *error)
{
    size_t index;
    json_t *value;
    uint64_t rows = 0;
    lxm_status status = load_manifest(v, error);
    if (status)
        return status;
    json_array_foreach(json_object_get(v->manifest, "shards"), index, value)
    {
        status = check_shard(v, value, index, error);
        if (status)
            return status;
    }
    const char *what = v->ids ? "tokens" : "rows";
    if (!take_number(v->manifest, what, &rows) || rows != v->result.rows)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "manifest.json says %" PRIu64 " %s, but the shards have %" PRIu64, rows,
                        what, v->result.rows);
    return check_manifest(v, error);
}

lxm_status lxm_run_verify(const char *folder, const lxm_job *job, lxm_verify_result *result,
                          lxm_error *error)
{
    static const lxm_job plain = {0};
    verify v = {.folder = folder, .job = job ? job : &plain};
    v.allocator = lxm_allocator_or_default(v.job->allocator);
    lxm_status status = check_shards(&v, error);
    json_decref(v.manifest);
    if (status && error)
        error->path = folder;
    if (result)
        *result = v.result;
    return status;
}
