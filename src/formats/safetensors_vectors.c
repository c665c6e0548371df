/*
 * Vectors as .safetensors: `embeddings` F32 and, with windows, `inputs` and `targets` I32 and
 * `mask` U8. The header has room for any number of rows; what goes along waits until the
 * embeddings are written.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "embed/dtype.h"
#include "formats/json.h"
#include "formats/vectors.h"

enum { prefix = 8, alignment = 64, most_tensors = 6 };

/* Rows that stand for the widest numbers a header may need. */
static const uint64_t widest = INT64_MAX;

typedef struct plan {
    const char *name, *dtype;
    uint64_t size; /* bytes a row (window) */
    bool has_dim;
} plan;

static size_t make_plans(const lxm_vectors_shape *shape, plan *plans)
{
    size_t count = 0;
    static const char *const dtypes[] = {"F32", "F16", "BF16", "I8"};
    uint64_t context = shape->context ? shape->context : 1;
    uint64_t size = context * shape->dim * lxm_dtype_size(shape->dtype);
    if (!shape->ids_only)
        plans[count++] = (plan){"embeddings", dtypes[shape->dtype], size, true};
    if (shape->dtype == LXM_DTYPE_I8)
        plans[count++] = (plan){"scales", "F32", sizeof(float), false};
    if (shape->context)
        plans[count++] = (plan){"inputs", "I32", context * sizeof(uint32_t), false};
    if (shape->context && shape->targets)
        plans[count++] = (plan){"targets", "I32", context * sizeof(uint32_t), false};
    if (shape->context && shape->mask)
        plans[count++] = (plan){"mask", "U8", context, false};
    if (shape->context && shape->documents)
        plans[count++] = (plan){"documents", "I32", context * sizeof(int32_t), false};
    return count;
}

static json_t *shape_of(const lxm_vectors_shape *shape, const plan *p, uint64_t rows)
{
    json_t *array = json_array();
    int failed = json_array_append_new(array, json_integer((json_int_t)rows));
    if (shape->context)
        failed |= json_array_append_new(array, json_integer((json_int_t)shape->context));
    if (p->has_dim)
        failed |= json_array_append_new(array, json_integer((json_int_t)shape->dim));
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *metadata_of(const lxm_vectors_shape *shape, const lxm_allocator *allocator)
{
    char digits[20];
    snprintf(digits, sizeof digits, "%016" PRIx64, shape->fingerprint);
    json_t *metadata = json_pack("{s:s, s:o}", "format", "lexmill", "lexmill.settings",
                                 lxm_json_text(shape->settings ? shape->settings : "", allocator));
    if (shape->fingerprint &&
        json_object_set_new(metadata, "lexmill.fingerprint", json_string(digits))) {
        json_decref(metadata);
        return NULL;
    }
    return metadata;
}

/* NULL where memory runs out. */
static json_t *make_json(const lxm_vectors_shape *shape, uint64_t rows,
                         const lxm_allocator *allocator)
{
    plan plans[most_tensors];
    size_t count = make_plans(shape, plans);
    json_t *root = json_object();
    int failed = json_object_set_new(root, "__metadata__", metadata_of(shape, allocator));
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = rows == widest ? widest : at + rows * plans[i].size;
        json_t *tensor = json_pack("{s:s, s:o, s:[I, I]}", "dtype", plans[i].dtype, "shape",
                                   shape_of(shape, &plans[i], rows), "data_offsets",
                                   (json_int_t)(rows == widest ? widest : at), (json_int_t)end);
        failed |= json_object_set_new(root, plans[i].name, tensor);
        at = end;
    }
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

/* The whole header for so many rows, padded to vectors->header bytes (0: as few as it needs). */
static lxm_status make_header(const lxm_vectors *vectors, uint64_t rows, lxm_buffer *header,
                              lxm_error *error)
{
    static const uint8_t zeros[prefix] = {0};
    json_t *json = make_json(&vectors->shape, rows, &header->allocator);
    bool done =
        lxm_buffer_append(header, zeros, prefix) && lxm_json_append(header, json, JSON_COMPACT);
    json_decref(json);
    size_t size = vectors->header;
    if (size == 0)
        size = (header->length + alignment - 1) / alignment * alignment;
    if (!done || !lxm_buffer_reserve(header, size - header->length))
        return lxm_fail_memory(error);
    memset(header->data + header->length, ' ', size - header->length);
    header->length = size;
    for (int i = 0; i < prefix; i++)
        header->data[i] = (uint8_t)((size - prefix) >> 8 * i);
    return LXM_OK;
}

static bool knows(const lxm_vectors *vectors)
{
    return vectors->shape.expected != LXM_ANY_ROW;
}

/* Whether the rows must wait until their number is known. */
static bool waits(const lxm_vectors *vectors)
{
    return !knows(vectors) && !lxm_output_can_patch(vectors->output);
}

static lxm_status put_header(lxm_vectors *vectors, uint64_t rows, bool patch, lxm_error *error)
{
    lxm_buffer header;
    lxm_buffer_init(&header, &vectors->body.buffer.allocator);
    lxm_status status = make_header(vectors, rows, &header, error);
    if (!status)
        status = patch ? lxm_vectors_patch(vectors, header.data, header.length, error)
                       : lxm_vectors_put(vectors, header.data, header.length, error);
    lxm_buffer_free(&header);
    return status;
}

static lxm_status begin(lxm_vectors *vectors, lxm_error *error)
{
    lxm_buffer header;
    lxm_buffer_init(&header, &vectors->body.buffer.allocator);
    lxm_status status = make_header(vectors, widest, &header, error);
    vectors->header = header.length;
    lxm_buffer_free(&header);
    if (status || waits(vectors))
        return status;
    return put_header(vectors, knows(vectors) ? vectors->shape.expected : 0, false, error);
}

static lxm_status piece(lxm_vectors *vectors, const lxm_vectors_piece *piece, lxm_error *error)
{
    const lxm_vectors_shape *shape = &vectors->shape;
    size_t ids = piece->count * sizeof *piece->inputs;
    const void *bytes = shape->ids_only ? piece->inputs : piece->bytes; /* what comes first */
    size_t length = shape->ids_only ? ids : piece->length;
    lxm_status status = waits(vectors) ? lxm_spool_write(&vectors->body, bytes, length, error)
                                       : lxm_vectors_put(vectors, bytes, length, error);
    if (!status && piece->scales)
        status = lxm_spool_write(&vectors->scales, piece->scales, ids, error);
    if (!status && shape->context && !shape->ids_only)
        status = lxm_spool_write(&vectors->inputs, piece->inputs, ids, error);
    if (!status && shape->context && shape->targets)
        status = lxm_spool_write(&vectors->targets, piece->targets, ids, error);
    if (!status && shape->context && shape->mask)
        status = lxm_spool_write(&vectors->mask, piece->mask, piece->count, error);
    if (!status && shape->context && shape->documents)
        status = lxm_spool_write(&vectors->documents, piece->documents, ids, error);
    return status;
}

/* Writes what waited; as lxm_spool_drain, but through the hash. */
static lxm_status put_spool(lxm_vectors *vectors, lxm_spool *spool, lxm_error *error)
{
    uint8_t bytes[16384];
    lxm_status status = LXM_OK;
    for (uint64_t at = 0; !status && at < spool->length;) {
        uint64_t left = spool->length - at;
        size_t n = left < sizeof bytes ? (size_t)left : sizeof bytes;
        status = lxm_spool_read(spool, at, bytes, n, error);
        if (!status)
            status = lxm_vectors_put(vectors, bytes, n, error);
        at += n;
    }
    return status;
}

static lxm_status finish(lxm_vectors *vectors, uint64_t rows, lxm_error *error)
{
    lxm_spool *const spools[] = {&vectors->body,    &vectors->scales, &vectors->inputs,
                                 &vectors->targets, &vectors->mask,   &vectors->documents};
    bool patch = !waits(vectors);
    lxm_status status = LXM_OK;
    if (rows != vectors->shape.expected && !patch)
        status = put_header(vectors, rows, false, error);
    for (size_t i = 0; !status && i < sizeof spools / sizeof *spools; i++)
        status = put_spool(vectors, spools[i], error);
    if (!status && rows != vectors->shape.expected && patch)
        status = put_header(vectors, rows, true, error);
    return status;
}

const lxm_vectors_format lxm_safetensors_vectors = {"safetensors", NULL, begin, piece, finish};
