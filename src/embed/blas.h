/* The matrix product of OpenBLAS, which is loaded when it is first needed. */
#ifndef LXM_EMBED_BLAS_H
#define LXM_EMBED_BLAS_H

#include <stddef.h>

#include "lexmill/error.h"

typedef struct lxm_blas lxm_blas;

/* products[i * row_count + j]: of vectors i and j of `dim` floats, summed in any order. */
typedef void lxm_blas_products(const lxm_blas *blas, const float *vectors, size_t count,
                               const float *rows, size_t row_count, size_t dim, float *products);

struct lxm_blas {
    void *library;
    lxm_blas_products *products;
    void (*sgemm)(void); /* of the types of cblas.h, which blas.c alone knows */
    void (*sgemv)(void);
};

/* LXM_ERROR_UNSUPPORTED where there is no OpenBLAS, or where the library was built without. From
 * here to lxm_blas_close all that OpenBLAS does in this process it does on its callers' threads. */
lxm_status lxm_blas_open(lxm_blas *blas, lxm_error *error);
void lxm_blas_close(lxm_blas *blas);

#endif
