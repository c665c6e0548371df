#include "formats/vectors.h"

#include "base/error.h"

enum { spool_memory = 1 << 20 };

lxm_status lxm_vectors_begin(lxm_vectors *vectors, const lxm_vectors_format *format,
                             const lxm_vectors_shape *shape, lxm_output *output,
                             const lxm_allocator *allocator, lxm_error *error)
{
    lxm_allocator a = lxm_allocator_or_default(allocator);
    vectors->format = format;
    vectors->shape = *shape;
    vectors->output = output;
    lxm_spool *const spools[] = {&vectors->body,    &vectors->scales, &vectors->inputs,
                                 &vectors->targets, &vectors->mask,   &vectors->documents};
    for (size_t i = 0; i < sizeof spools / sizeof *spools; i++)
        lxm_spool_init(spools[i], spool_memory, NULL, &a);
    if (vectors->hash)
        XXH3_64bits_reset(vectors->hash);
    return format->begin(vectors, error);
}

lxm_status lxm_vectors_add(lxm_vectors *vectors, const lxm_vectors_piece *piece, lxm_error *error)
{
    vectors->places += piece->count;
    return vectors->format->piece(vectors, piece, error);
}

lxm_status lxm_vectors_finish(lxm_vectors *vectors, lxm_error *error)
{
    size_t context = vectors->shape.context ? vectors->shape.context : 1;
    return vectors->format->finish(vectors, vectors->places / context, error);
}

void lxm_vectors_free(lxm_vectors *vectors)
{
    if (!vectors->format)
        return;
    lxm_spool_free(&vectors->body);
    lxm_spool_free(&vectors->scales);
    lxm_spool_free(&vectors->inputs);
    lxm_spool_free(&vectors->targets);
    lxm_spool_free(&vectors->mask);
    lxm_spool_free(&vectors->documents);
    vectors->format = NULL;
}

lxm_status lxm_vectors_put(lxm_vectors *vectors, const void *bytes, size_t length, lxm_error *error)
{
    if (vectors->hash)
        lxm_hash_update(vectors->hash, bytes, length);
    vectors->written += length;
    return lxm_output_write(vectors->output, bytes, length, error);
}

lxm_status lxm_vectors_patch(lxm_vectors *vectors, const void *bytes, size_t length,
                             lxm_error *error)
{
    vectors->patched = true;
    return lxm_output_patch(vectors->output, 0, bytes, length, error);
}
