/*
 * Vectors as .npy: one array, whose first dimension is patched in when it is known, or (a pipe)
 * one array a batch, one after another.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "formats/vectors.h"

enum { header_size = 128, prefix = 10 };

static void make_header(const lxm_vectors *vectors, uint64_t rows, char *header)
{
    static const char magic[8] = "\x93NUMPY\x01";
    const lxm_vectors_shape *shape = &vectors->shape;
    char dict[header_size];
    int length;
    const char *descr = shape->dtype == LXM_DTYPE_F16 ? "<f2" : "<f4";
    if (shape->context)
        length =
            snprintf(dict, sizeof dict,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRIu64 ", %zu, %zu), }",
                     descr, rows, shape->context, shape->dim);
    else
        length = snprintf(dict, sizeof dict,
                          "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRIu64 ", %zu), }",
                          descr, rows, shape->dim);
    memset(header, ' ', header_size);
    memcpy(header, magic, sizeof magic);
    header[8] = (char)(header_size - prefix);
    header[9] = 0;
    memcpy(header + prefix, dict, (size_t)length);
    header[header_size - 1] = '\n';
}

static lxm_status put_header(lxm_vectors *vectors, uint64_t rows, lxm_error *error)
{
    char header[header_size];
    make_header(vectors, rows, header);
    return lxm_vectors_put(vectors, header, sizeof header, error);
}

static bool knows(const lxm_vectors *vectors)
{
    return vectors->shape.expected != LXM_ANY_ROW;
}

/* Whether the rows must wait until their number is known. */
static bool waits(const lxm_vectors *vectors)
{
    return !vectors->shape.batches && !knows(vectors) && !lxm_output_can_patch(vectors->output);
}

static lxm_status begin(lxm_vectors *vectors, lxm_error *error)
{
    if (vectors->shape.batches || waits(vectors))
        return LXM_OK;
    return put_header(vectors, knows(vectors) ? vectors->shape.expected : 0, error);
}

static lxm_status piece(lxm_vectors *vectors, const lxm_vectors_piece *piece, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (vectors->shape.batches && piece->batch)
        status = put_header(vectors, piece->batch, error);
    if (status)
        return status;
    return waits(vectors) ? lxm_spool_write(&vectors->body, piece->bytes, piece->length, error)
                          : lxm_vectors_put(vectors, piece->bytes, piece->length, error);
}

static lxm_status finish(lxm_vectors *vectors, uint64_t rows, lxm_error *error)
{
    char header[header_size];
    if (vectors->shape.batches)
        return rows ? LXM_OK : put_header(vectors, 0, error); /* nothing: an array of 0 rows */
    if (waits(vectors)) {
        lxm_status status = put_header(vectors, rows, error);
        return status ? status : lxm_spool_drain(&vectors->body, vectors->output, error);
    }
    if (rows == vectors->shape.expected)
        return LXM_OK;
    make_header(vectors, rows, header);
    return lxm_vectors_patch(vectors, header, sizeof header, error);
}

const lxm_vectors_format lxm_npy_vectors = {"npy", NULL, begin, piece, finish};
