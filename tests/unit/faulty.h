/* An allocator that fails when it is told to, and knows what is still out. */
#ifndef LXM_TESTS_FAULTY_H
#define LXM_TESTS_FAULTY_H

#include <stdlib.h>

#include "lexmill/error.h"

typedef struct faulty {
    long left; /* allocations until one fails; below 0: none does */
    long live;
} faulty;

static inline int faulty_fails(faulty *f)
{
    if (f->left < 0)
        return 0;
    return f->left-- == 0;
}

static inline void *faulty_allocate(void *context, size_t size)
{
    faulty *f = context;
    void *pointer = faulty_fails(f) ? NULL : malloc(size);
    f->live += pointer != NULL;
    return pointer;
}

static inline void *faulty_resize(void *context, void *pointer, size_t size)
{
    faulty *f = context;
    if (faulty_fails(f))
        return NULL;
    f->live += pointer == NULL;
    return realloc(pointer, size);
}

static inline void faulty_release(void *context, void *pointer)
{
    faulty *f = context;
    f->live -= pointer != NULL;
    free(pointer);
}

static inline lxm_allocator faulty_allocator(faulty *f)
{
    return (lxm_allocator){faulty_allocate, faulty_resize, faulty_release, f};
}

#endif
