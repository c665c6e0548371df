/* What a .safetensors file says it holds, checked against the file. */
#ifndef LXM_FORMATS_SAFETENSORS_H
#define LXM_FORMATS_SAFETENSORS_H

#include <jansson.h>

#include "base/file.h"

enum { lxm_tensor_dimensions = 8 };

typedef struct lxm_tensor {
    const char *name, *dtype;
    size_t dimensions;
    uint64_t shape[lxm_tensor_dimensions];
    uint64_t start, end; /* in the data */
} lxm_tensor;

typedef struct lxm_safetensors {
    json_t *root;
    lxm_buffer buffer; /* of tensors, by start */
    size_t count;
    size_t data; /* where it starts */
} lxm_safetensors;

static inline lxm_tensor *lxm_safetensors_tensors(const lxm_safetensors *c)
{
    return (lxm_tensor *)(void *)c->buffer.data;
}

bool lxm_safetensors_probe(const uint8_t *bytes, size_t length);

/* Fills a zeroed struct, which is freed by the caller whatever the result. */
lxm_status lxm_safetensors_read(lxm_safetensors *contents, lxm_map map,
                                const lxm_allocator *allocator, lxm_error *error);
void lxm_safetensors_free(lxm_safetensors *contents);

/* NULL where there is none of that name. */
const lxm_tensor *lxm_safetensors_find(const lxm_safetensors *contents, const char *name);

#endif
