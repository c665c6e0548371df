/* Gradients of looked-up rows in a file, as a training program saves them. */
#ifndef LXM_FORMATS_GRADIENTS_H
#define LXM_FORMATS_GRADIENTS_H

#include "base/file.h"
#include "lexmill/embed.h"
#include "lexmill/stream.h"

typedef struct lxm_gradient_file {
    lxm_map map;
    uint64_t count; /* ids */
    size_t dim;
    const uint8_t *gradients; /* count x dim, of any alignment */
    lxm_dtype dtype;

    lxm_map id_map;
    const uint8_t *ids; /* in one of the maps, of any alignment; NULL: in a stream */
    size_t id_size;     /* 2, 4 or 8 bytes */
    bool is_signed;

    const char *stream_path; /* an id stream, which is read from front to back */
    lxm_input *input;
    lxm_reader *reader;
    lxm_ids block; /* what was read of it, */
    size_t taken;  /* and how many of these were taken */
} lxm_gradient_file;

/* .safetensors with `ids` and `gradients`; or .npy of gradients, with `ids` an .npy of its own or
 * an id stream. Gradients are F32, F16 or BF16 [..., dim], ids U16, I32, U32, I64 or U64 of the
 * dimensions before the last. lxm_gradient_file_close is due whatever the result. */
lxm_status lxm_gradient_file_open(lxm_gradient_file *file, const char *path, const char *ids,
                                  const lxm_allocator *allocator, lxm_error *error);
void lxm_gradient_file_close(lxm_gradient_file *file);

/* The vocabulary that the ids are of; 0: unknown. */
uint64_t lxm_gradient_file_fingerprint(const lxm_gradient_file *file);

/* Reads the next `count` of them, from number `at` on. An id that fits no 32 bits is LXM_ERROR_ID,
 * a stream with more or fewer ids LXM_ERROR_MISMATCH. */
lxm_status lxm_gradient_file_read(lxm_gradient_file *file, uint64_t at, size_t count, uint32_t *ids,
                                  float *gradients, lxm_error *error);

#endif
