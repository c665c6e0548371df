/* The header of an .npy file (numpy.lib.format): magic, version, length and a Python dict. */
#ifndef LXM_FORMATS_NPY_H
#define LXM_FORMATS_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lexmill/error.h"

enum { lxm_npy_dimensions = 32 };

typedef struct lxm_npy_header {
    char descr[64];
    bool fortran_order;
    size_t dimensions;
    uint64_t shape[lxm_npy_dimensions];
    size_t size; /* of the whole header: where the data starts */
} lxm_npy_header;

bool lxm_npy_probe(const uint8_t *bytes, size_t length);
lxm_status lxm_npy_parse(lxm_npy_header *header, const uint8_t *bytes, size_t length,
                         lxm_error *error);

#endif
