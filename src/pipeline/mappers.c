#define _POSIX_C_SOURCE 200809L
#include "pipeline/mappers.h"

#include "base/error.h"

lxm_status lxm_mappers_init(lxm_mappers *mappers, const lxm_vocab *vocab, size_t threads,
                            size_t cache_size, const lxm_allocator *allocator, lxm_error *error)
{
    size_t size = cache_size / threads;
    *mappers = (lxm_mappers){.vocab = vocab, .allocator = *allocator};
    mappers->options.cache_size = size < LXM_CACHE_SIZE ? size : LXM_CACHE_SIZE;
    lxm_mapper **idle = lxm_allocate(allocator, threads, sizeof(lxm_mapper *));
    if (!idle)
        return lxm_fail_memory(error);
    if (pthread_mutex_init(&mappers->lock, NULL)) {
        lxm_release(allocator, idle);
        return lxm_fail_memory(error);
    }
    mappers->idle = idle;
    mappers->most = threads;
    return LXM_OK;
}

void lxm_mappers_free(lxm_mappers *mappers)
{
    if (!mappers->idle)
        return;
    for (size_t i = 0; i < mappers->count; i++)
        lxm_mapper_free(mappers->idle[i]);
    lxm_release(&mappers->allocator, mappers->idle);
    pthread_mutex_destroy(&mappers->lock);
    mappers->idle = NULL;
}

lxm_status lxm_mappers_take(lxm_mappers *mappers, lxm_mapper **mapper, lxm_error *error)
{
    *mapper = NULL;
    pthread_mutex_lock(&mappers->lock);
    if (mappers->count)
        *mapper = mappers->idle[--mappers->count];
    pthread_mutex_unlock(&mappers->lock);
    if (*mapper)
        return LXM_OK;
    return lxm_mapper_new(mapper, mappers->vocab, &mappers->options, &mappers->allocator, error);
}

void lxm_mappers_give(lxm_mappers *mappers, lxm_mapper *mapper)
{
    if (!mapper)
        return;
    pthread_mutex_lock(&mappers->lock);
    if (mappers->count < mappers->most) {
        mappers->idle[mappers->count++] = mapper;
        mapper = NULL;
    }
    pthread_mutex_unlock(&mappers->lock);
    lxm_mapper_free(mapper);
}
