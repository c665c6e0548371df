#include "embed/blas.h"

#include "base/error.h"

#ifdef LXM_HAVE_OPENBLAS
#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* How many threads OpenBLAS takes is one number for the process: the first who needs it to be 1
 * sets it, the last gives back what it was. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int users, threads_before;

typedef int get_threads(void);
typedef void set_threads(int count);
typedef void function(void);

static function *find(const lxm_blas *blas, const char *name)
{
    function *found = NULL;
    void *symbol = dlsym(blas->library, name);
    memcpy(&found, &symbol, sizeof found);
    return found;
}

static void use_one_thread(const lxm_blas *blas, int change)
{
    get_threads *get = (get_threads *)find(blas, "openblas_get_num_threads");
    set_threads *set = (set_threads *)find(blas, "openblas_set_num_threads");
    if (!get || !set)
        return;
    pthread_mutex_lock(&mutex);
    if (users == 0)
        threads_before = get();
    users += change;
    if (users == 0 || users == change)
        set(users ? 1 : threads_before);
    pthread_mutex_unlock(&mutex);
}

static void products(const lxm_blas *blas, const float *vectors, size_t count, const float *rows,
                     size_t row_count, size_t dim, float *out)
{
    blasint n = (blasint)row_count, k = (blasint)dim;
    if (count == 1)
        ((__typeof__(cblas_sgemv) *)blas->sgemv)(CblasRowMajor, CblasNoTrans, n, k, 1, rows, k,
                                                 vectors, 1, 0, out, 1);
    else
        ((__typeof__(cblas_sgemm) *)blas->sgemm)(CblasRowMajor, CblasNoTrans, CblasTrans,
                                                 (blasint)count, n, k, 1, vectors, k, rows, k, 0,
                                                 out, n);
}

/* Linked to, it would start its threads in every process that has no use for it. Once loaded it
 * stays: its threads may be at work for others. */
lxm_status lxm_blas_open(lxm_blas *blas, lxm_error *error)
{
    *blas = (lxm_blas){.products = products};
    blas->library = dlopen(LXM_OPENBLAS, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (blas->library) {
        blas->sgemm = find(blas, "cblas_sgemm");
        blas->sgemv = find(blas, "cblas_sgemv");
    }
    if (blas->sgemm && blas->sgemv) {
        use_one_thread(blas, 1);
        return LXM_OK;
    }
    if (blas->library)
        dlclose(blas->library);
    blas->library = NULL;
    return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                    "finding neighbours takes " LXM_OPENBLAS ", which isn't here: install OpenBLAS "
                    "(Debian: libopenblas0)");
}

void lxm_blas_close(lxm_blas *blas)
{
    if (!blas->library)
        return;
    use_one_thread(blas, -1);
    dlclose(blas->library);
    blas->library = NULL;
}

#else

lxm_status lxm_blas_open(lxm_blas *blas, lxm_error *error)
{
    *blas = (lxm_blas){0};
    return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                    "finding neighbours takes OpenBLAS, which lexmill was built without: install "
                    "it (Debian: libopenblas-dev) and build again");
}

void lxm_blas_close(lxm_blas *blas)
{
    (void)blas;
}
#endif
