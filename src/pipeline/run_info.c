/* What a file or folder of vectors holds, in words. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "embed/finite.h"
#include "embed/table.h"
#include "formats/npy.h"
#include "formats/number.h"
#include "formats/safetensors.h"
#include "pipeline/job.h"

typedef struct info {
    lxm_allocator allocator;
    lxm_buffer text;
    bool failed; /* no memory */
} info;

static void put(info *i, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(info *i, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t used = length < (int)sizeof line ? (size_t)length : sizeof line - 1;
    i->failed |= !lxm_buffer_append(&i->text, line, used);
}

static void put_shape(info *i, const uint64_t *shape, size_t dimensions)
{
    put(i, " [");
    for (size_t d = 0; d < dimensions; d++)
        put(i, "%s%" PRIu64, d ? ", " : "", shape[d]);
    put(i, "]\n");
}

static void put_string(info *i, const char *name, const json_t *value)
{
    char shown[400];
    const char *text = json_string_value(value);
    if (text && *text)
        put(i, "%s: %s\n", name, lxm_printable(shown, sizeof shown - 8, text, strlen(text)));
}

static void put_tensors(info *i, const lxm_safetensors *c)
{
    char shown[200];
    for (size_t at = 0; at < c->count; at++) {
        const lxm_tensor *t = &lxm_safetensors_tensors(c)[at];
        put(i, "tensor: %s", lxm_printable(shown, sizeof shown - 8, t->name, strlen(t->name)));
        put(i, " %s", lxm_printable(shown, 40, t->dtype, strlen(t->dtype)));
        put_shape(i, t->shape, t->dimensions);
    }
    const json_t *metadata = json_object_get(c->root, "__metadata__");
    put_string(i, "settings", json_object_get(metadata, "lexmill.settings"));
}

/* How many rows hold a number that is none, or infinite. */
static lxm_status count_bad_rows(const info *i, const lxm_table *table, uint64_t *bad,
                                 lxm_error *error)
{
    size_t dim = lxm_table_dim(table);
    float *values = lxm_allocate(&i->allocator, dim, sizeof *values);
    if (!values)
        return lxm_fail_memory(error);
    *bad = 0;
    for (uint64_t row = 0; row < lxm_table_rows(table); row++) {
        lxm_table_row(table, row, values);
        *bad += lxm_rows_not_finite(values, 1, dim, LXM_DTYPE_F32);
    }
    lxm_release(&i->allocator, values);
    return LXM_OK;
}

static lxm_status put_table(info *i, const lxm_table *table, lxm_error *error)
{
    static const char *const dtypes[] = {"float32", "float16", "bfloat16", "int8"};
    uint64_t bad = 0;
    size_t length;
    lxm_status status = count_bad_rows(i, table, &bad, error);
    if (status)
        return status;
    put(i, "rows: %" PRIu64 "\ndim: %zu\ndtype: %s\n", lxm_table_rows(table), lxm_table_dim(table),
        dtypes[lxm_table_dtype(table)]);
    if (lxm_table_word(table, 0, &length))
        put(i, "words: one a row\n");
    if (bad)
        put(i, "not finite: %" PRIu64 " rows\n", bad);
    if (lxm_table_fingerprint(table))
        put(i, "fingerprint: %016" PRIx64 "\n", lxm_table_fingerprint(table));
    else
        put(i, "fingerprint: none\n");
    return LXM_OK;
}

/* Bytes of a number, by its descr; 0 for what has no size, or several. */
static size_t number_size(const lxm_npy_header *header)
{
    uint64_t size;
    const char *digits = strlen(header->descr) > 2 ? header->descr + 2 : "";
    if (!lxm_number_whole(digits, strlen(digits), &size) || size > SIZE_MAX / 4)
        return 0;
    return (size_t)size * (header->descr[1] == 'U' ? 4 : 1); /* of text: characters */
}

static bool is_table(const lxm_npy_header *header)
{
    return header->dimensions == 2 && !header->fortran_order && header->shape[1] > 0 &&
           (strcmp(header->descr, "<f4") == 0 || strcmp(header->descr, "<f2") == 0);
}

/* Bytes of an array, where another one stands behind it, as embed writes batches; otherwise all. */
static size_t array_size(const lxm_npy_header *header, const uint8_t *bytes, size_t length)
{
    size_t size, number = number_size(header);
    if (!number || !lxm_npy_data_size(header, number, &size) || size >= length - header->size)
        return length;
    size += header->size;
    return lxm_npy_probe(bytes + size, length - size) ? size : length;
}

/* The arrays of an .npy file, but for a table, which is described as all are. */
static lxm_status put_arrays(info *i, lxm_map map, bool *table, lxm_error *error)
{
    lxm_status status = LXM_OK;
    *table = false;
    put(i, "format: npy\n");
    for (size_t at = 0, size; !status && at < map.length; at += size) {
        lxm_npy_header header;
        status = lxm_npy_parse(&header, map.data + at, map.length - at, error);
        size = status ? 0 : array_size(&header, map.data + at, map.length - at);
        if (!status && number_size(&header))
            status = lxm_npy_check_data(&header, number_size(&header), size, error);
        if (status && error && error->offset != LXM_NO_OFFSET)
            error->offset += at;
        *table = size == map.length && is_table(&header);
        if (status || *table)
            break;
        put(i, "array: %s%s", header.descr, header.fortran_order ? " (Fortran order)" : "");
        put_shape(i, header.shape, header.dimensions);
    }
    return status;
}

/* The tensors of a .safetensors file, or the array of an .npy file. *tables: it may hold one. */
static lxm_status put_parts(info *i, const char *path, bool *tables, lxm_error *error)
{
    lxm_map map;
    lxm_safetensors c = {0};
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    *tables = true;
    if (lxm_npy_probe(map.data, map.length)) {
        status = put_arrays(i, map, tables, error);
    } else if (lxm_safetensors_probe(map.data, map.length)) {
        put(i, "format: safetensors\n");
        status = lxm_safetensors_read(&c, map, &i->allocator, error);
        if (!status)
            put_tensors(i, &c);
        lxm_safetensors_free(&c);
    }
    lxm_map_close(&map);
    return status;
}

static lxm_status describe_file(info *i, const char *path, const char *tensor, bool folder,
                                lxm_error *error)
{
    lxm_table *table;
    bool tables = true;
    lxm_error reason = {0};
    lxm_status status = folder ? LXM_OK : put_parts(i, path, &tables, error);
    if (status || !tables)
        return status;
    size_t described = i->text.length;
    status = lxm_table_open(&table, path, tensor, &i->allocator, &reason);
    if (status && described && !tensor && status != LXM_ERROR_MEMORY)
        return LXM_OK; /* what is no table was described all the same */
    if (status) {
        if (error)
            *error = reason;
        return status;
    }
    if (!described)
        put(i, "format: %s\n", lxm_table_format(table));
    status = put_table(i, table, error);
    lxm_table_free(table);
    return status;
}

static void put_number(info *i, const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, name);
    if (json_is_integer(value))
        put(i, "%s: %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
    else if (json_is_boolean(value))
        put(i, "%s: %s\n", name, json_is_true(value) ? "yes" : "no");
}

static lxm_status describe_shards(info *i, const char *manifest, lxm_error *error)
{
    static const char *const numbers[] = {"rows",    "dim",       "context",   "stride",
                                          "targets", "batch",     "drop_last", "unused_ids",
                                          "tokens",  "documents", "width",     "eot"};
    json_error_t problem;
    lxm_map map;
    lxm_status status = lxm_map_open(&map, manifest, error);
    if (status)
        return status;
    json_t *root = json_loadb((const char *)map.data, map.length, JSON_REJECT_DUPLICATES, &problem);
    const char *format = json_string_value(json_object_get(root, "format"));
    if (!format || (strcmp(format, "lexmill-shards") != 0 && strcmp(format, "lexmill-ids") != 0)) {
        status = lxm_fail(error, LXM_ERROR_FORMAT, "its manifest.json is none of lexmill's: %.100s",
                          root ? "another format" : problem.text);
    } else {
        put_string(i, "format", json_object_get(root, "format"));
        put_string(i, "layout", json_object_get(root, "layout"));
        put(i, "shards: %zu\n", json_array_size(json_object_get(root, "shards")));
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
            put_number(i, root, numbers[n]);
        put_string(i, "dtype", json_object_get(root, "dtype"));
        put_string(i, "fingerprint", json_object_get(root, "fingerprint"));
        put_string(i, "settings", json_object_get(root, "settings"));
    }
    json_decref(root);
    lxm_map_close(&map);
    return status;
}

static lxm_status describe(info *i, const char *path, const char *tensor, lxm_error *error)
{
    struct stat status;
    bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (!folder)
        return describe_file(i, path, tensor, false, error);
    size_t size = strlen(path) + 16;
    char *manifest = lxm_allocate(&i->allocator, size, 1);
    if (!manifest)
        return lxm_fail_memory(error);
    snprintf(manifest, size, "%s/manifest.json", path);
    lxm_status result = stat(manifest, &status) == 0 ? describe_shards(i, manifest, error)
                                                     : describe_file(i, path, tensor, true, error);
    lxm_release(&i->allocator, manifest);
    if (result && error)
        error->path = path;
    return result;
}

lxm_status lxm_run_info(const char *path, const char *tensor, lxm_output *output,
                        const lxm_job *job, lxm_error *error)
{
    info i = {.allocator = lxm_allocator_or_default(job ? job->allocator : NULL)};
    lxm_buffer_init(&i.text, &i.allocator);
    lxm_status status = describe(&i, path, tensor, error);
    if (!status && i.failed)
        status = lxm_fail_memory(error);
    if (status)
        lxm_job_blame(error, path);
    else
        status = lxm_output_write(output, i.text.data, i.text.length, error);
    lxm_buffer_free(&i.text);
    return status;
}
