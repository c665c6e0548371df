/*
 * Reading .safetensors: u64 N, N bytes of JSON, data. The JSON maps a tensor's name to its dtype,
 * shape and data_offsets, which together cover the data without holes; __metadata__ maps strings.
 */
#include "formats/safetensors.h"

#include <stdlib.h>

#include "base/error.h"

enum { prefix = 8, longest_header = 100000000 };

static uint64_t header_length(const uint8_t *bytes)
{
    uint64_t length = 0;
    for (int i = prefix - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

/* A first line of 8 bytes is word2vec's, whose first word may be a brace. */
bool lxm_safetensors_probe(const uint8_t *bytes, size_t length)
{
    return length > prefix && bytes[prefix] == '{' && bytes[prefix - 1] != '\n';
}

static unsigned dtype_bits(const char *dtype)
{
    static const struct {
        const char *name;
        unsigned bits;
    } sizes[] = {{"F32", 32},    {"F16", 16},   {"BF16", 16}, {"F64", 64}, {"I64", 64},
                 {"I32", 32},    {"I16", 16},   {"I8", 8},    {"U64", 64}, {"U32", 32},
                 {"U16", 16},    {"U8", 8},     {"BOOL", 8},  {"C64", 64}, {"F8_E4M3", 8},
                 {"F8_E5M2", 8}, {"F8_E8M0", 8}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(dtype, sizes[i].name) == 0)
            return sizes[i].bits;
    return 0;
}

static bool whole_number(const json_t *value, uint64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *number = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_shape(lxm_tensor *t, const json_t *shape)
{
    t->dimensions = json_array_size(shape);
    if (!json_is_array(shape) || t->dimensions > lxm_tensor_dimensions)
        return false;
    for (size_t i = 0; i < t->dimensions; i++)
        if (!whole_number(json_array_get(shape, i), &t->shape[i]))
            return false;
    return true;
}

static bool size_matches(const lxm_tensor *t)
{
    uint64_t size = dtype_bits(t->dtype) / 8;
    if (size == 0 || t->start > t->end)
        return size == 0; /* a dtype of later times: only its offsets can be checked */
    for (size_t i = 0; i < t->dimensions; i++)
        if (t->shape[i] == 0)
            return t->start == t->end;
    for (size_t i = 0; i < t->dimensions; i++)
        if (__builtin_mul_overflow(size, t->shape[i], &size))
            return false;
    return size == t->end - t->start;
}

static lxm_status read_tensor(lxm_tensor *t, const char *name, const json_t *value,
                              lxm_error *error)
{
    char shown[80];
    lxm_printable(shown, sizeof shown, name, strlen(name));
    *t = (lxm_tensor){.name = name, .dtype = json_string_value(json_object_get(value, "dtype"))};
    const json_t *offsets = json_object_get(value, "data_offsets");
    if (!t->dtype || !read_shape(t, json_object_get(value, "shape")) ||
        json_array_size(offsets) != 2 || !whole_number(json_array_get(offsets, 0), &t->start) ||
        !whole_number(json_array_get(offsets, 1), &t->end) || t->start > t->end)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "tensor '%s' lacks a right dtype, shape and data_offsets", shown);
    if (!size_matches(t))
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "tensor '%s': its shape and dtype are not its %llu bytes of data", shown,
                        (unsigned long long)(t->end - t->start));
    return LXM_OK;
}

static int by_start(const void *a, const void *b)
{
    const lxm_tensor *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The tensors must cover the data from end to end. */
static lxm_status check_cover(const lxm_safetensors *c, size_t length, lxm_error *error)
{
    char shown[80];
    uint64_t at = 0;
    const lxm_tensor *t = lxm_safetensors_tensors(c);
    if (c->count)
        qsort(c->buffer.data, c->count, sizeof *t, by_start);
    for (size_t i = 0; i < c->count; i++) {
        lxm_printable(shown, sizeof shown, t[i].name, strlen(t[i].name));
        if (t[i].start != at)
            return lxm_fail(error, LXM_ERROR_FORMAT, "%s before tensor '%s' (data offset %llu)",
                            t[i].start > at ? "a hole" : "an overlap", shown,
                            (unsigned long long)t[i].start);
        at = t[i].end;
        if (at > length)
            return lxm_fail_at(error, LXM_ERROR_FORMAT, c->data + length,
                               "the file ends in tensor '%s': it is cut", shown);
    }
    if (at != length)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, c->data + at, "%llu bytes belong to no tensor",
                           (unsigned long long)(length - at));
    return LXM_OK;
}

static lxm_status load_header(lxm_safetensors *c, lxm_map map, lxm_error *error)
{
    json_error_t problem;
    uint64_t header = header_length(map.data);
    if (header > longest_header)
        return lxm_fail_at(error, LXM_ERROR_LIMIT, 0,
                           "a .safetensors header of %llu bytes: at most %d are read",
                           (unsigned long long)header, longest_header);
    if (header > map.length - prefix)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, map.length,
                           "the .safetensors file ends in its header: it is cut");
    c->data = prefix + (size_t)header;
    c->root = json_loadb((const char *)map.data + prefix, (size_t)header, JSON_REJECT_DUPLICATES,
                         &problem);
    if (!c->root && json_error_code(&problem) == json_error_out_of_memory)
        return lxm_fail_memory(error);
    if (!c->root || !json_is_object(c->root))
        return lxm_fail_at(error, LXM_ERROR_FORMAT, prefix, "the .safetensors header: %.100s",
                           c->root ? "no JSON object" : problem.text);
    return LXM_OK;
}

lxm_status lxm_safetensors_read(lxm_safetensors *c, lxm_map map, const lxm_allocator *allocator,
                                lxm_error *error)
{
    const char *name;
    json_t *value;
    lxm_status status = load_header(c, map, error);
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_buffer_init(&c->buffer, &a);
    if (status)
        return status;
    json_object_foreach(c->root, name, value)
    {
        lxm_tensor t;
        if (strcmp(name, "__metadata__") == 0)
            continue;
        status = read_tensor(&t, name, value, error);
        if (!status && !lxm_buffer_append(&c->buffer, &t, sizeof t))
            status = lxm_fail_memory(error);
        if (status)
            return status;
        c->count++;
    }
    return check_cover(c, map.length - c->data, error);
}

void lxm_safetensors_free(lxm_safetensors *c)
{
    lxm_buffer_free(&c->buffer);
    json_decref(c->root);
    c->root = NULL;
}

const lxm_tensor *lxm_safetensors_find(const lxm_safetensors *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(lxm_safetensors_tensors(c)[i].name, name) == 0)
            return &lxm_safetensors_tensors(c)[i];
    return NULL;
}
