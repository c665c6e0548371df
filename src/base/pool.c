#define _GNU_SOURCE
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "base/error.h"

enum { most_threads = 1024 };

typedef struct slot {
    void *job;
    bool done;
} slot;

struct lxm_pool {
    lxm_allocator allocator;
    void (*run)(void *job);
    unsigned threads; /* that were started; 0: jobs run in submit */
    pthread_t *handles;
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    slot *slots; /* a ring of `window`; the three counters only grow */
    size_t window, submitted, started, taken;
    bool stop;
};

unsigned lxm_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

/* Runs the next job that nobody has begun. The mutex is held before and after, not meanwhile. */
static void run_next(lxm_pool *pool)
{
    slot *s = &pool->slots[pool->started++ % pool->window];
    pthread_mutex_unlock(&pool->mutex);
    pool->run(s->job);
    pthread_mutex_lock(&pool->mutex);
    s->done = true;
}

static void *worker(void *context)
{
    lxm_pool *pool = context;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (!pool->stop && pool->started == pool->submitted)
            pthread_cond_wait(&pool->work, &pool->mutex);
        if (pool->stop)
            break;
        run_next(pool);
        pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

static lxm_status start(lxm_pool *pool, unsigned threads, lxm_error *error)
{
    pool->handles = lxm_allocate(&pool->allocator, threads, sizeof *pool->handles);
    if (!pool->handles)
        return lxm_fail_memory(error);
    for (; pool->threads < threads; pool->threads++) {
        int failed = pthread_create(&pool->handles[pool->threads], NULL, worker, pool);
        if (failed)
            return lxm_fail_io(error, failed, "can't start a thread (try fewer with -j)");
    }
    return LXM_OK;
}

lxm_status lxm_pool_new(lxm_pool **out, unsigned threads, void (*run)(void *job),
                        const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    if (threads == 0)
        threads = lxm_processors();
    if (threads > most_threads)
        threads = most_threads;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_pool *pool = lxm_new(&a, sizeof *pool);
    if (!pool)
        return lxm_fail_memory(error);
    pool->allocator = a;
    pool->run = run;
    pool->window = threads == 1 ? 1 : 2 * (size_t)threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    lxm_status status = LXM_OK;
    pool->slots = lxm_allocate(&a, pool->window, sizeof *pool->slots);
    if (!pool->slots)
        status = lxm_fail_memory(error);
    else if (threads > 1)
        status = start(pool, threads - 1, error);
    if (status) {
        lxm_pool_free(pool);
        return status;
    }
    *out = pool;
    return LXM_OK;
}

void lxm_pool_free(lxm_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->threads; i++)
        pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->mutex);
    lxm_release(&pool->allocator, pool->handles);
    lxm_release(&pool->allocator, pool->slots);
    lxm_allocator a = pool->allocator;
    lxm_release(&a, pool);
}

size_t lxm_pool_window(const lxm_pool *pool)
{
    return pool->window;
}

size_t lxm_pool_threads(const lxm_pool *pool)
{
    return pool->threads + 1;
}

size_t lxm_pool_pending(const lxm_pool *pool)
{
    return pool->submitted - pool->taken;
}

void lxm_pool_submit(lxm_pool *pool, void *job)
{
    slot *s = &pool->slots[pool->submitted % pool->window];
    *s = (slot){.job = job};
    if (pool->threads == 0) {
        pool->run(job);
        s->done = true;
        pool->submitted++;
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->submitted++;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
}

void *lxm_pool_take(lxm_pool *pool)
{
    if (pool->taken == pool->submitted)
        return NULL;
    slot *s = &pool->slots[pool->taken % pool->window];
    if (pool->threads) {
        pthread_mutex_lock(&pool->mutex);
        while (!s->done)
            if (pool->started < pool->submitted)
                run_next(pool);
            else
                pthread_cond_wait(&pool->done, &pool->mutex);
        pthread_mutex_unlock(&pool->mutex);
    }
    pool->taken++;
    return s->job;
}
