#define _POSIX_C_SOURCE 200809L
#include "unit.h"

#include <time.h>

#include "base/pool.h"

typedef struct job {
    unsigned number;
    unsigned long pause; /* nanoseconds */
    uint64_t result;
    unsigned runs;
} job;

static void run(void *pointer)
{
    job *j = pointer;
    struct timespec pause = {0, (long)j->pause};
    if (j->pause)
        nanosleep(&pause, NULL);
    uint64_t state = j->number;
    j->result = unit_random(&state);
    j->runs++;
}

/* Runs jobs of uneven length through a pool and demands them back in order. */
static void run_all(unsigned threads, unsigned count)
{
    unit_allocator a;
    lxm_pool *pool;
    lxm_error error;
    unit_allocator_init(&a);
    unit_succeeds(lxm_pool_new(&pool, threads, run, &a.functions, &error), &error);
    size_t window = lxm_pool_window(pool);
    assert_int_equal(window, threads == 1 ? 1 : 2 * threads);
    job *jobs = calloc(count, sizeof *jobs);
    assert_non_null(jobs);
    unsigned taken = 0;
    uint64_t state = threads;
    for (unsigned i = 0; i < count || lxm_pool_pending(pool);) {
        if (i < count && lxm_pool_pending(pool) < window) {
            jobs[i] = (job){.number = i, .pause = unit_random(&state) % 200000};
            lxm_pool_submit(pool, &jobs[i++]);
            continue;
        }
        job *done = lxm_pool_take(pool);
        uint64_t number = taken;
        assert_ptr_equal(done, &jobs[taken]);
        assert_int_equal(done->runs, 1);
        assert_true(done->result == unit_random(&number));
        taken++;
    }
    assert_int_equal(taken, count);
    assert_null(lxm_pool_take(pool));
    lxm_pool_free(pool);
    free(jobs);
    assert_int_equal(a.live, 0);
}

static void jobs_come_back_in_order(void **state)
{
    (void)state;
    run_all(1, 100);
    run_all(2, 1000);
    run_all(7, 1000);
}

static void a_pool_is_freed_with_jobs_under_way(void **state)
{
    (void)state;
    unit_allocator a;
    lxm_pool *pool;
    unit_allocator_init(&a);
    for (unsigned i = 0; i < 20; i++) {
        job jobs[4] = {{.pause = 300000}, {.pause = 100000}, {.pause = 100000}, {.pause = 100000}};
        unit_succeeds(lxm_pool_new(&pool, 2, run, &a.functions, NULL), NULL);
        for (unsigned k = 0; k < 4; k++)
            lxm_pool_submit(pool, &jobs[k]);
        if (i % 2)
            assert_ptr_equal(lxm_pool_take(pool), &jobs[0]);
        lxm_pool_free(pool);
        for (unsigned k = 0; k < 4; k++)
            assert_true(jobs[k].runs <= 1);
        assert_int_equal(a.live, 0);
    }
}

static void one_thread_runs_jobs_at_once(void **state)
{
    (void)state;
    lxm_pool *pool;
    job one = {.number = 1};
    unit_succeeds(lxm_pool_new(&pool, 1, run, NULL, NULL), NULL);
    lxm_pool_submit(pool, &one);
    assert_int_equal(one.runs, 1);
    assert_int_equal(lxm_pool_pending(pool), 1);
    assert_ptr_equal(lxm_pool_take(pool), &one);
    assert_int_equal(lxm_pool_pending(pool), 0);
    lxm_pool_free(pool);
}

static void no_number_of_threads_means_all_processors(void **state)
{
    (void)state;
    lxm_pool *pool;
    unit_succeeds(lxm_pool_new(&pool, 0, run, NULL, NULL), NULL);
    unsigned processors = lxm_processors();
    assert_true(processors >= 1);
    assert_int_equal(lxm_pool_window(pool), processors == 1 ? 1 : 2 * processors);
    lxm_pool_free(pool);
    lxm_pool_free(NULL);
}

static void a_pool_without_memory_is_no_pool(void **state)
{
    (void)state;
    lxm_error error;
    for (size_t n = 1;; n++) {
        unit_allocator a;
        lxm_pool *pool;
        unit_allocator_init(&a);
        a.fail_at = n;
        lxm_status status = lxm_pool_new(&pool, 2, run, &a.functions, &error);
        if (!status) {
            lxm_pool_free(pool);
            assert_true(n > 2);
            return;
        }
        assert_int_equal(status, LXM_ERROR_MEMORY);
        assert_null(pool);
        assert_int_equal(a.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_in_order),
        cmocka_unit_test(a_pool_is_freed_with_jobs_under_way),
        cmocka_unit_test(one_thread_runs_jobs_at_once),
        cmocka_unit_test(no_number_of_threads_means_all_processors),
        cmocka_unit_test(a_pool_without_memory_is_no_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
