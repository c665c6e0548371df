/* Vectors as text: a row a line, a space between two numbers. */
#include "formats/vectors.h"

static bool encode(lxm_buffer *bytes, const float *values, size_t count, size_t dim)
{
    size_t row;
    if (!lxm_multiply(dim, lxm_float_size + 1, &row))
        return false;
    for (; count > 0; count--) {
        if (!lxm_buffer_reserve(bytes, row))
            return false;
        char *text = (char *)bytes->data + bytes->length;
        for (size_t i = 0; i < dim; i++) {
            text += lxm_float_text(*values++, text);
            *text++ = i + 1 < dim ? ' ' : '\n';
        }
        bytes->length = (size_t)(text - (char *)bytes->data);
    }
    return true;
}

static lxm_status begin(lxm_vectors *vectors, lxm_error *error)
{
    (void)vectors, (void)error;
    return LXM_OK;
}

static lxm_status piece(lxm_vectors *vectors, const lxm_vectors_piece *piece, lxm_error *error)
{
    return lxm_vectors_put(vectors, piece->bytes, piece->length, error);
}

static lxm_status finish(lxm_vectors *vectors, uint64_t rows, lxm_error *error)
{
    (void)vectors, (void)rows, (void)error;
    return LXM_OK;
}

const lxm_vectors_format lxm_text_vectors = {"text", encode, begin, piece, finish};
