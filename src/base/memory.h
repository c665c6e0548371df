/* Allocation through the caller's allocator, checked size arithmetic, growable buffers. */
#ifndef LXM_BASE_MEMORY_H
#define LXM_BASE_MEMORY_H

#include <stdbool.h>
#include <string.h>

#include "lexmill/error.h"

/* The caller's allocator, or malloc where it is NULL. */
lxm_allocator lxm_allocator_or_default(const lxm_allocator *allocator);

/* All return NULL on failure, and for a product that overflows. Memory from lxm_new is zeroed. */
void *lxm_allocate(const lxm_allocator *allocator, size_t count, size_t size);
void *lxm_new(const lxm_allocator *allocator, size_t size);
void *lxm_resize(const lxm_allocator *allocator, void *pointer, size_t count, size_t size);
void lxm_release(const lxm_allocator *allocator, void *pointer);
char *lxm_copy_string(const lxm_allocator *allocator, const char *string);

/* Advises the system to give memory that was allocated, and not written to yet, large pages: few to
 * ask for, and few to look up where it is used all over. */
void lxm_prefer_large_pages(void *memory, size_t size);

static inline bool lxm_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static inline bool lxm_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

typedef struct lxm_buffer {
    uint8_t *data;
    size_t length, capacity;
    lxm_allocator allocator;
} lxm_buffer;

void lxm_buffer_init(lxm_buffer *buffer, const lxm_allocator *allocator);
void lxm_buffer_free(lxm_buffer *buffer);

/* Makes room for `extra` bytes more; false when memory runs out, and the buffer is as it was. */
bool lxm_buffer_grow(lxm_buffer *buffer, size_t extra);

static inline bool lxm_buffer_reserve(lxm_buffer *buffer, size_t extra)
{
    return buffer->capacity - buffer->length >= extra || lxm_buffer_grow(buffer, extra);
}

static inline bool lxm_buffer_append(lxm_buffer *buffer, const void *bytes, size_t length)
{
    if (!lxm_buffer_reserve(buffer, length))
        return false;
    if (length)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    return true;
}

#endif
