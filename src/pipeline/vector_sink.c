#include "pipeline/vector_sink.h"

#include "base/error.h"

const lxm_vectors_format *lxm_vector_sink_format(lxm_vector_format format)
{
    switch (format) {
    case LXM_VECTORS_TEXT:
        return &lxm_text_vectors;
    case LXM_VECTORS_NPY:
        return &lxm_npy_vectors;
    case LXM_VECTORS_SAFETENSORS:
    case LXM_VECTORS_SHARDS:
        return &lxm_safetensors_vectors;
    }
    return NULL;
}

static lxm_status blame(const lxm_vector_sink *sink, lxm_status status, lxm_error *error)
{
    if (status && error)
        error->path = sink->path;
    return status;
}

static lxm_status open_file(lxm_vector_sink *sink, const char *path, const lxm_vectors_shape *shape,
                            const lxm_embed_options *options, const lxm_allocator *allocator,
                            lxm_error *error)
{
    lxm_status status = lxm_output_open(&sink->output, path, allocator, error);
    if (status)
        return status;
    lxm_vectors_shape file = *shape;
    bool rewinds = lxm_output_can_patch(sink->output);
    bool separate = strcmp(path, "-") == 0 && options->batch > 0;
    file.batches = file.expected == LXM_ANY_ROW && (!rewinds || separate);
    return lxm_vectors_begin(&sink->vectors, lxm_vector_sink_format(options->format), &file,
                             sink->output, allocator, error);
}

lxm_status lxm_vector_sink_open(lxm_vector_sink *sink, const char *path,
                                const lxm_vectors_shape *shape, const lxm_embed_options *options,
                                size_t batch, const lxm_allocator *allocator, lxm_error *error)
{
    *sink = (lxm_vector_sink){.path = strcmp(path, "-") ? path : "standard output"};
    lxm_status status;
    if (options->format == LXM_VECTORS_SHARDS)
        status = lxm_shards_new(&sink->shards, path, shape, options, batch, allocator, error);
    else
        status = open_file(sink, path, shape, options, allocator, error);
    return blame(sink, status, error);
}

lxm_status lxm_vector_sink_add(lxm_vector_sink *sink, const lxm_vectors_piece *piece,
                               lxm_error *error)
{
    lxm_status status = sink->shards ? lxm_shards_add(sink->shards, piece, error)
                                     : lxm_vectors_add(&sink->vectors, piece, error);
    return blame(sink, status, error);
}

lxm_status lxm_vector_sink_commit(lxm_vector_sink *sink, lxm_embed_result *result, lxm_error *error)
{
    lxm_status status;
    if (sink->shards) {
        status = lxm_shards_commit(sink->shards, result, error);
    } else {
        status = lxm_vectors_finish(&sink->vectors, error);
        if (!status) {
            status = lxm_output_commit(sink->output, error);
            sink->output = NULL;
        }
    }
    return blame(sink, status, error);
}

void lxm_vector_sink_close(lxm_vector_sink *sink)
{
    lxm_vectors_free(&sink->vectors);
    lxm_output_discard(sink->output);
    lxm_shards_free(sink->shards);
    *sink = (lxm_vector_sink){0};
}
