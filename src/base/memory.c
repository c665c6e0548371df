#define _DEFAULT_SOURCE
#include "base/memory.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void *default_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *default_resize(void *context, void *pointer, size_t size)
{
    (void)context;
    return realloc(pointer, size);
}

static void default_release(void *context, void *pointer)
{
    (void)context;
    free(pointer);
}

lxm_allocator lxm_allocator_or_default(const lxm_allocator *allocator)
{
    static const lxm_allocator standard = {default_allocate, default_resize, default_release, NULL};
    return allocator ? *allocator : standard;
}

void *lxm_allocate(const lxm_allocator *allocator, size_t count, size_t size)
{
    size_t bytes;
    if (!lxm_multiply(count, size, &bytes))
        return NULL;
    return allocator->allocate(allocator->context, bytes ? bytes : 1);
}

void *lxm_new(const lxm_allocator *allocator, size_t size)
{
    void *pointer = lxm_allocate(allocator, 1, size);
    if (pointer)
        memset(pointer, 0, size);
    return pointer;
}

void *lxm_resize(const lxm_allocator *allocator, void *pointer, size_t count, size_t size)
{
    size_t bytes;
    if (!lxm_multiply(count, size, &bytes))
        return NULL;
    if (!pointer)
        return lxm_allocate(allocator, count, size);
    return allocator->resize(allocator->context, pointer, bytes ? bytes : 1);
}

void lxm_release(const lxm_allocator *allocator, void *pointer)
{
    if (pointer)
        allocator->release(allocator->context, pointer);
}

void lxm_prefer_large_pages(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    enum { least = 4 << 20 }; /* some that are aligned must fit */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)memory;
    uintptr_t skipped = -begin & (page - 1);
    if (size >= least && page < least) /* advice that isn't taken does no harm */
        (void)madvise((uint8_t *)memory + skipped, (size - skipped) & ~(page - 1), MADV_HUGEPAGE);
#else
    (void)memory;
    (void)size;
#endif
}

char *lxm_copy_string(const lxm_allocator *allocator, const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = lxm_allocate(allocator, 1, size);
    if (copy)
        memcpy(copy, string, size);
    return copy;
}

void lxm_buffer_init(lxm_buffer *buffer, const lxm_allocator *allocator)
{
    *buffer = (lxm_buffer){.allocator = *allocator};
}

void lxm_buffer_free(lxm_buffer *buffer)
{
    if (buffer->data)
        lxm_release(&buffer->allocator, buffer->data);
    buffer->data = NULL;
    buffer->length = buffer->capacity = 0;
}

bool lxm_buffer_grow(lxm_buffer *buffer, size_t extra)
{
    size_t need, capacity;
    if (!lxm_add(buffer->length, extra, &need))
        return false;
    if (need <= buffer->capacity)
        return true;
    if (!lxm_add(buffer->capacity, buffer->capacity / 2, &capacity) || capacity < need)
        capacity = need;
    if (capacity < 256)
        capacity = 256;
    uint8_t *data = lxm_resize(&buffer->allocator, buffer->data, capacity, 1);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}
